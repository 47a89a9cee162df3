/**
 * The one place where statements about users become a change: statements in, operations and audit events out. Pure but
 * for its questions. Permissions shrink by themselves, because they are computed from this state; added are what policy
 * does with the keys, and the record of who said what. Many statements are judged in slices.
 */
import type { KeyFate, Principal, Voucher } from "../access/policy.ts";
import type { Principals } from "../access/principals.ts";
import type { Operation } from "../changes/change.ts";
import type { EventType, LedgerEvent } from "../audit/event.ts";
import { LongWork } from "../kernel/long-work.ts";
import type { KeyFactors, KeyRecord } from "../keys/key.ts";
import { applyStatement } from "./apply-statement.ts";
import type { Applied } from "./apply-statement.ts";
import { findCandidates, findMeant } from "./find-person.ts";
import type { Candidate } from "./find-person.ts";
import { narrowingOf } from "./narrowing.ts";
import { fateOf } from "./key-fate.ts";
import type { OwnerTrouble } from "./key-fate.ts";
import type { Statement } from "./statement.ts";

/** What has to be known of the present to judge a statement. */
export interface KnownPeople {
  readonly now: number;
  readonly principals: Principals;
  /** Names of all environments. */
  readonly environments?: readonly string[];
  /** Of the key's environment; undefined if it does not exist (any more). */
  readonly fateIn: (environment: string) => KeyFate | undefined;
  /** Every key of the principal. */
  readonly keysOf: (principal: string) => Iterable<KeyRecord>;
  /** What the key made use of and its owner has no more (`access/lost-right.ts`). */
  readonly lost: (
    key: KeyRecord,
    change: { readonly before: Principal; readonly after: Principal; readonly gone?: string },
  ) => readonly string[];
}

export interface Reconciled {
  readonly operations: readonly Operation[];
  readonly events: readonly LedgerEvent[];
  /** Which sessions end with it. */
  readonly signedOut: readonly SignedOut[];
  /** Statements about users who are not known here. */
  readonly unknown: number;
  /** People who were stopped because it was not certain which of them was meant. */
  readonly ambiguous: number;
}

/** The principal, with its environments where it is not all of them. */
export type SignedOut = string | { readonly principal: string; readonly environments: readonly string[] };

const SYSTEM = "system";

export function reconcile(present: KnownPeople, statements: readonly Statement[]): Reconciled {
  const judge = new StatementJudge(present);
  for (const statement of statements) judge.hear(statement);
  return judge.found();
}

/** The same for many, in slices. The present must not change meanwhile: call it in the turn in which the change is written. */
export async function reconcileMany(
  present: KnownPeople,
  statements: readonly Statement[],
  work = new LongWork(),
): Promise<Reconciled> {
  const judge = new StatementJudge(present);
  await work.each(statements, (statement) => judge.hear(statement));
  return judge.found();
}

class StatementJudge {
  readonly #present: KnownPeople;
  #people: Principals;
  readonly #operations: Operation[] = [];
  readonly #events: LedgerEvent[] = [];
  readonly #signedOut = new Map<string, SignedOut>();
  #unknown = 0;
  readonly #ambiguous = new Set<string>();
  readonly #fates: KeyFates;

  constructor(present: KnownPeople) {
    this.#present = present;
    this.#people = present.principals;
    this.#fates = new KeyFates(present, this.#operations, this.#events);
  }

  hear(statement: Statement): void {
    const candidates = findCandidates(statement.subject, this.#people);
    if (candidates.length === 0) this.#unknown++;
    const meant = findMeant(candidates);
    for (const candidate of candidates) {
      const heard =
        candidate === meant ? throughCandidate(statement, candidate) : narrowingOf(statement, candidate.person);
      if (!heard) continue;
      if (candidates.length > 1) this.#ambiguous.add(candidate.person.id);
      this.#apply(heard, this.#people.get(candidate.person.id)!, candidates.length);
    }
  }

  #apply(statement: Statement, before: Principal, candidates: number): void {
    const { now, environments } = this.#present;
    const applied = applyStatement(before, statement, now, environments);
    if (!applied) return;
    const after = applied.person;
    this.#people = this.#people.with([[after.id, after]]);
    this.#operations.push({ op: "principal.put", principal: after });
    this.#events.push(...eventsOf(statement, applied, now, candidates));
    const { leftIn } = applied;
    if (applied.isSignedOut || applied.isLeft) this.#signedOut.set(after.id, after.id);
    else if (leftIn.length > 0 && !this.#signedOut.has(after.id))
      this.#signedOut.set(after.id, { principal: after.id, environments: leftIn });
    this.#fates.meet(statement, before, after, applied);
  }

  found(): Reconciled {
    return {
      operations: lastPuts(this.#operations),
      events: this.#events,
      signedOut: [...this.#signedOut.values()],
      unknown: this.#unknown,
      ambiguous: this.#ambiguous.size,
    };
  }
}

/** What a provider says of a person whom only a provisioning client has tied to it counts as far as that client's word. */
function throughCandidate(statement: Statement, { person, by }: Candidate): Statement {
  if (by !== "external_id") return statement;
  const voucher = person.bounds?.identifier ?? UNKNOWN_WRITER;
  return { ...statement, voucher };
}

/** Unknown means no. */
export const UNKNOWN_WRITER: Voucher = { by: "unknown", environments: [], mayGrant: null };

/** What happens to the keys of every holder of a removed assignment. */
export async function reconcileAssignment(
  present: KnownPeople,
  statement: Pick<Statement, "source" | "actor" | "address" | "event">,
  gone: { readonly id: string; readonly holders: readonly Principal[] },
  work = new LongWork(),
): Promise<Pick<Reconciled, "operations" | "events">> {
  const operations: Operation[] = [];
  const events: LedgerEvent[] = [];
  const fates = new KeyFates(present, operations, events);
  await work.each(gone.holders, (holder) => {
    operations.push({ op: "principal.put", principal: { ...holder, revocations: holder.revocations + 1 } });
    fates.meet(statement, holder, holder, NO_TROUBLE, gone.id);
  });
  return { operations, events };
}

const NO_TROUBLE = { isLeft: false, isSignedOut: false, areCredentialsRevoked: false, isAtRisk: false };

class KeyFates {
  readonly #present: KnownPeople;
  readonly #operations: Operation[];
  readonly #events: LedgerEvent[];
  /** Keys that have met their fate in this change already. */
  readonly #ended = new Set<string>();

  constructor(present: KnownPeople, operations: Operation[], events: LedgerEvent[]) {
    this.#present = present;
    this.#operations = operations;
    this.#events = events;
  }

  meet(
    statement: Pick<Statement, "source" | "actor" | "address" | "event">,
    before: Principal,
    after: Principal,
    happened: Omit<OwnerTrouble, "lost"> & { readonly leftIn?: readonly string[] },
    gone?: string,
  ): void {
    if (after.revocations === before.revocations && gone === undefined) return;
    for (const key of this.#present.keysOf(after.id)) {
      const { environment, id } = key;
      const policy = this.#present.fateIn(environment);
      if (key.state === "revoked" || !policy || this.#ended.has(`${environment}/${id}`)) continue;
      const lost = this.#present.lost(key, { before, after, ...(gone === undefined ? {} : { gone }) });
      const isLeft = happened.isLeft || happened.leftIn?.includes(environment) === true;
      const met = fateOf(key, policy, { ...happened, isLeft, lost });
      if (!met) continue;
      if (met.fate === "revoke") this.#ended.add(`${environment}/${id}`);
      this.#operations.push(operationOf(key, met.fate, met.reason));
      this.#events.push({
        type: EVENT_OF[met.fate],
        at: this.#present.now,
        environment,
        actor: statement.actor,
        fields: {
          key: id,
          name: key.name,
          owner: key.owner,
          reason: met.reason,
          ...(lost.length > 0 ? { lost } : {}),
          source: statement.source,
          source_event: statement.event,
          ...fromOf(statement),
        },
      });
    }
  }
}

function fromOf({ address }: Pick<Statement, "address">): { readonly address?: string } {
  return address === undefined ? {} : { address };
}

const EVENT_OF = { revoke: "key.revoked", suspend: "key.suspended", signature: "key.factors_changed" } as const;

function operationOf(key: KeyRecord, fate: keyof typeof EVENT_OF, reason: string): Operation {
  const { environment, id } = key;
  if (fate !== "signature")
    return { op: "key.state", environment, id, state: fate === "revoke" ? "revoked" : "suspended", reason };
  const { networks, binding, require, signers, pathSecret, workloads } = key;
  const demanded: KeyFactors["require"] = [...require, "signature"];
  const factors: KeyFactors = { networks, binding, require: demanded, signers, pathSecret, workloads };
  return { op: "key.factors", environment, id, factors };
}

function eventsOf(statement: Statement, applied: Applied, now: number, candidates: number): LedgerEvent[] {
  const { source, event, actor } = statement;
  const { id, kind, name } = applied.person;
  const make = (type: EventType, fields: LedgerEvent["fields"] = {}): LedgerEvent => ({
    type,
    at: now,
    environment: SYSTEM,
    actor,
    fields: {
      principal: id,
      kind,
      name,
      ...fields,
      source,
      source_event: event,
      ...fromOf(statement),
      ...(candidates > 1 ? { candidates } : {}),
    },
  });
  const isAdmin = source === "admin";
  const events: LedgerEvent[] = [];
  if (applied.isLeft) events.push(make(isAdmin ? "principal.disabled" : "person.deactivated"));
  if (applied.isBack) {
    const still = applied.person.disabledBy;
    events.push(make(isAdmin ? "principal.enabled" : "person.activated", still.length > 0 ? { still } : {}));
  }
  const { added, removed, leftIn, backIn } = applied;
  if (!applied.isLeft && leftIn.length > 0)
    events.push(make(isAdmin ? "principal.disabled" : "person.deactivated", { environments: leftIn }));
  if (!applied.isBack && backIn.length > 0)
    events.push(make(isAdmin ? "principal.enabled" : "person.activated", { environments: backIn }));
  if (added.length > 0 || removed.length > 0) events.push(make("person.groups_changed", { added, removed }));
  if (applied.isSignedOut) events.push(make("person.sessions_ended"));
  if (applied.areCredentialsRevoked) events.push(make("person.signalled", { says: "credentials_revoked" }));
  if (applied.isAtRisk) events.push(make("person.signalled", { says: "risk_high" }));
  if (applied.note !== null) events.push(make("person.signalled", { says: applied.note }));
  // Only which groups are the directory's has changed.
  if (events.length === 0) events.push(make("person.signalled", { says: "groups_taken_over" }));
  return events;
}

/** Of several puts of one person only the last is written. */
function lastPuts(operations: readonly Operation[]): Operation[] {
  const last = new Map<string, Operation>();
  for (const operation of operations) if (operation.op === "principal.put") last.set(operation.principal.id, operation);
  return operations.filter(
    (operation) => operation.op !== "principal.put" || last.get(operation.principal.id) === operation,
  );
}
