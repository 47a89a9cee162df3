/**
 * From a logged-in user to their session: a key of the user that lives for hours, with the widest scope, so that its
 * permissions are exactly the user's current ones. Created in the turn in which the user is looked up: no session
 * begins at the moment its user is disabled.
 */
import { dataPermissions, isRefusal, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import { coversHoldings, holdingsOf, isDisabledIn, isUnbounded, speaksFor } from "../../access/holding.ts";
import type { Environment, Principal, RightSpec, Voucher } from "../../access/policy.ts";
import type { Snapshot } from "../../access/snapshot.ts";
import type { Operation } from "../../changes/change.ts";
import type { LedgerEvent } from "../../audit/event.ts";
import type { Clock } from "../../kernel/clock.ts";
import { randomBase62 } from "../../kernel/ids.ts";
import type { Secret } from "../../kernel/secret.ts";
import { issueKey } from "../../keys/issue.ts";
import type { PepperRing } from "../../keys/pepper.ts";
import { findCandidates } from "../../identity/find-person.ts";
import { LOCAL_ISSUER } from "../../identity/local/proof.ts";
import type { LoggedIn } from "../../identity/oidc-client.ts";
import type { Reconciler } from "../../identity/reconciler.ts";
import type { Said } from "../../identity/statement.ts";

export interface SessionDeskPorts {
  readonly clock: Clock;
  readonly snapshot: () => Snapshot;
  readonly peppers: PepperRing;
  readonly reconciler: Reconciler;
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  /** The issuer's subjects are the ids that the provisioning client knows people by; absent = of no issuer. */
  readonly hasExternalIds?: (issuer: string) => boolean;
}

export interface OpenedSession {
  readonly person: Principal;
  readonly text: Secret;
}

export const SESSION_MS = 12 * 3_600_000;
const CEILING: RightSpec = {
  roles: [],
  // A session ends; it does not renew itself.
  allow: dataPermissions.filter((permission) => permission !== "self:rotate"),
  models: ["*", "cloud:*"],
};

export class SessionDesk {
  readonly #ports: SessionDeskPorts;

  constructor(ports: SessionDeskPorts) {
    this.#ports = ports;
  }

  /** `owner_disabled`, or `permission_denied` for users without any permission there: the session would be useless. */
  open(
    who: LoggedIn,
    environment: string,
    address: string,
    isStill: () => boolean = () => true,
  ): Promise<OpenedSession | Refusal> {
    const { clock, snapshot, reconciler, inTurn } = this.#ports;
    return inTurn(async () => {
      const now = clock.now();
      const present = snapshot();
      const policy = present.environments.get(environment);
      if (!policy) return refuse("environment_not_here");
      const isLocal = who.issuer === LOCAL_ISSUER;
      const known = isLocal ? localPerson(present, who.subject) : this.#personOf(who, present, environment);
      if (known && isRefusal(known)) return known;
      // What was proved may have ended since: an invitation takes everything of the old away.
      if ((isLocal && !known) || !isStill()) return refuse("login_expired");
      const before = known?.person ?? newPerson(who, now);
      const voucher = known?.voucher;
      const { found, person } = this.#judge(who, before, voucher, present);
      const refusal = refuseSession(present, person, environment);
      if (refusal) {
        // What the provider said about the user counts, whether or not the log-in succeeds: a lost group is lost
        // everywhere.
        await reconciler.write(found);
        return refusal;
      }
      const isPut = found.operations.some((one) => one.op === "principal.put");
      const more = this.#session(person, { isNew: !known && !isPut, who, policy, address, now, voucher });
      await reconciler.write(found, more);
      return { person, text: more.text };
    });
  }

  /**
   * The user whom the provider itself has named before. Otherwise the one that a provisioning client has tied to the
   * subject, as long as the client could grant all that the user would hold in this environment. Undefined for no user;
   * a denial if the provider's statement matches several.
   */
  #personOf(who: LoggedIn, present: Snapshot, environment: string): KnownPerson | Refusal | undefined {
    const { issuer, subject } = who;
    const externalIds = this.#ports.hasExternalIds?.(issuer) ?? false;
    const candidates = findCandidates({ issuer, subject, externalIds }, present.principals);
    const named = candidates.filter(({ by }) => by === "identity");
    if (named.length > 1) return refuse("login_ambiguous");
    const [own] = named;
    if (own) return { person: own.person };
    const tied = candidates.filter(
      ({ by, person }) => by === "external_id" && this.#isTied(who, person, present, environment),
    );
    const [only] = tied;
    if (!only || tied.length > 1) return undefined;
    return { person: only.person, voucher: only.person.bounds!.identifier! };
  }

  /** All the person would hold here, with the groups the provider says, is the writer's to hand out. */
  #isTied(who: LoggedIn, before: Principal, present: Snapshot, environment: string): boolean {
    const voucher = before.bounds?.identifier;
    if (!voucher || before.external?.scim?.isDeleted || !speaksFor(voucher, environment, present)) return false;
    const { person } = this.#judge(who, before, undefined, present);
    return coversHoldings(voucher, person, present, environment);
  }

  /** The person with the groups the provider says, and what that comes to. */
  #judge(who: LoggedIn, before: Principal, voucher: Voucher | undefined, present: Snapshot) {
    const groups = groupsOf(who);
    const isLocal = who.issuer === LOCAL_ISSUER;
    // Where a client has tied the person to the provider, the provider's groups count as far as the client's word.
    const within =
      voucher === undefined || isLocal || voucher.environments === "*" ? {} : { within: voucher.environments };
    const statement = {
      source: "login", by: who.issuer, actor: `principal:${before.id}`, event: `login ${randomBase62(12)}`, isOnce: false,
      at: null, subject: { principal: before.id }, says: groups, ...within,
      ...(voucher === undefined || isLocal ? {} : { voucher }),
    } as const; // prettier-ignore
    const principals = present.principals.with([[before.id, before]]);
    const found = this.#ports.reconciler.judge([statement], principals);
    return { found, person: personAfter(found.operations, before) };
  }

  #session(
    person: Principal,
    {
      isNew,
      who,
      policy,
      address,
      now,
      voucher,
    }: {
      isNew: boolean;
      who: LoggedIn;
      policy: Environment;
      address: string;
      now: number;
      voucher: Voucher | undefined;
    },
  ): { operations: Operation[]; events: LedgerEvent[]; text: Secret } {
    const environment = policy.name;
    const expiresAt = now + Math.min(SESSION_MS, policy.keyMaxAgeMs);
    const { issuer, subject, sid, authenticatedAt } = who;
    const issued = issueKey(
      {
        environment,
        name: `log-in of ${person.name}`.slice(0, 100),
        owner: person.id,
        ceiling: CEILING,
        limits: {},
        createdAt: now,
        createdBy: `principal:${person.id}`,
        expiresAt,
        session: { issuer, subject, sid, authenticatedAt, ...(voucher && !isUnbounded(voucher) ? { voucher } : {}) },
      },
      this.#ports.peppers,
    );
    const method = issuer === LOCAL_ISSUER ? "password+otp" : "oidc";
    const fields = { key: issued.record.id, principal: person.id, issuer, method, address, expires_at: expiresAt };
    return {
      operations: [
        ...(isNew ? [{ op: "principal.put", principal: person } as const] : []),
        { op: "key.insert", key: issued.record },
      ],
      events: [{ type: "person.logged_in", at: now, environment, actor: `principal:${person.id}`, fields }],
      text: issued.text,
    };
  }
}

interface KnownPerson {
  readonly person: Principal;
  /** Who stands behind the log-in, where it is not the provider. */
  readonly voucher?: Voucher;
}

/** The administrator who created the local log-in must still be able to grant all that the user holds, everywhere. */
function localPerson(present: Snapshot, id: string): KnownPerson | Refusal | undefined {
  const person = present.principals.get(id);
  if (!person) return undefined;
  const voucher = person.bounds?.localLogin;
  if (voucher?.suspendedAt || !coversHoldings(voucher, person, present)) return refuse("login_unconfirmed");
  if (!voucher) return { person };
  const { suspendedAt: _suspendedAt, ...rest } = voucher;
  return { person, voucher: rest };
}

/** What a log-in says about groups. Without a claim, the present ones stay, and the default ones are added. */
function groupsOf({ groups, defaultGroups = [] }: LoggedIn): Pick<Said, "groups"> {
  if (groups !== null) return { groups: { set: [...new Set([...groups, ...defaultGroups])] } };
  return defaultGroups.length === 0 ? {} : { groups: { add: defaultGroups } };
}

function newPerson(who: LoggedIn, now: number): Principal {
  return {
    id: `p_${randomBase62(12)}`,
    kind: "person",
    name: who.name,
    team: null,
    groups: [],
    isDisabled: false,
    disabledBy: [],
    revocations: 0,
    external: {
      identities: [{ issuer: who.issuer, subject: who.subject }],
      scim: null,
      groups: [],
      heard: { events: [], times: [] },
      changedAt: now,
    },
    createdAt: now,
  };
}

function personAfter(operations: readonly Operation[], before: Principal): Principal {
  const put = operations.find((one) => one.op === "principal.put" && one.principal.id === before.id);
  return put?.op === "principal.put" ? put.principal : before;
}

function refuseSession(present: Snapshot, person: Principal, environment: string): Refusal | undefined {
  if (isDisabledIn(person, environment)) return refuse("owner_disabled");
  return hasAnyRight(present, person, environment)
    ? undefined
    : refuse("permission_denied", `no role in ${environment}`);
}

function hasAnyRight(present: Snapshot, person: Principal, environment: string): boolean {
  return holdingsOf(person, present).some((assignment) => assignment.environment === environment);
}
