/**
 * What a key did and what was done with it: fed every record that may tell, oldest first. Counts are of the time that was
 * asked for; addresses, and the key's own life, are known since it was issued.
 */
import type { LedgerRecord } from "@sallyport/ledger";
import type { LedgerRadius, RadiusQuestion } from "../../../incident/blast-radius.ts";
import { Addresses, ERASED } from "./addresses.ts";
import { BoundedCounts, BoundedList } from "./bounded.ts";
import { Timeline } from "./timeline.ts";

const NAMES_MAX = 500;
const ROWS_MAX = 100;
/** Of a record's fields in words. */
const SAYS_MAX = 300;

type Happening = LedgerRadius["life"]["rows"][number];
const INTENTS = new Set(["request.intent", "model.intent"]);
const OUTCOMES = new Set(["request.outcome", "model.outcome"]);
const RIGHTS = /^(?:assignment|role|person|principal|group|policy|environment)\./;
/** Always proved: how it began and how it was stopped. */
const TURNING = new Set(["key.issued", "incident.opened", "key.suspended", "key.revoked"]);

export class KeyRadius {
  readonly #question: RadiusQuestion;
  readonly #actor: string;
  readonly #ownActors: ReadonlySet<string>;
  readonly addresses = new Addresses();
  readonly #decisive = new Decisive();
  readonly #timeline: Timeline;
  readonly #counts = { served: 0, refused: 0, inputTokens: 0, outputTokens: 0, estimated: 0, bytesIn: 0, bytesOut: 0 };
  readonly #models = new BoundedCounts(NAMES_MAX);
  readonly #endpoints = new BoundedCounts(NAMES_MAX);
  readonly #permissions = new BoundedCounts(NAMES_MAX);
  readonly #codes = new BoundedCounts(NAMES_MAX);
  readonly #metCodes = new Set<string>();
  readonly #outcomes = new BoundedCounts(NAMES_MAX);
  readonly #programs = new BoundedCounts(NAMES_MAX);
  readonly #life = new BoundedList<Happening>(ROWS_MAX);
  readonly #tokens = new BoundedList<Happening>(ROWS_MAX);
  readonly #byKey = new BoundedList<Happening>(ROWS_MAX);
  readonly #byOwner = new BoundedList<Happening>(ROWS_MAX);
  readonly #rights = new BoundedList<Happening>(ROWS_MAX);

  constructor(question: RadiusQuestion) {
    this.#question = question;
    this.#actor = `key:${question.key}`;
    this.#ownActors = new Set([`principal:${question.owner}`, ...question.siblings]);
    this.#timeline = new Timeline(question.since, question.until);
  }

  take(record: LedgerRecord): void {
    const { environment, since, until } = this.#question;
    const { type, actor, at } = record;
    if (at > until) return;
    const isCounted = at >= since;
    if (actor === this.#actor && record.environment === environment && this.#isUse(record, isCounted)) return;
    if (type.startsWith("request.") || type.startsWith("model.")) return;
    if (record.fields["key"] === this.#question.key && record.environment === environment)
      this.#ofItself(record, isCounted);
    else if (!isCounted) return;
    else if (actor === this.#actor) this.#byKey.add(happening(record));
    else if (this.#ownActors.has(actor)) this.#byOwner.add(happening(record));
    else if (RIGHTS.test(type) && this.#concernsRight(record)) this.#rights.add(happening(record));
  }

  result(walked: Pick<LedgerRadius, "knownFrom" | "records">): LedgerRadius {
    const { since, until } = this.#question;
    return {
      from: new Date(since).toISOString(),
      to: new Date(until).toISOString(),
      ...walked,
      requests: this.#counts,
      models: this.#models.result(),
      endpoints: this.#endpoints.result(),
      permissions: this.#permissions.result(),
      codes: this.#codes.result(),
      outcomes: this.#outcomes.result(),
      programs: this.#programs.result(),
      ...this.addresses.result(),
      life: this.#life.result(),
      tokens: this.#tokens.result(),
      byKey: this.#byKey.result(),
      byOwner: this.#byOwner.result(),
      rights: this.#rights.result(),
      timeline: this.#timeline.result(),
      decisive: this.#decisive.result(),
    };
  }

  /** A request of the key, or its end. */
  #isUse(record: LedgerRecord, isCounted: boolean): boolean {
    const { type, fields, seq } = record;
    if (INTENTS.has(type)) {
      this.#place(record, isCounted, false);
      if (!isCounted) return true;
      this.#counts.served++;
      this.#counts.bytesIn += numberOf(fields["bytes"]);
      if (typeof fields["model"] === "string") this.#models.add(fields["model"]);
      this.#endpoints.add(String(fields["endpoint"]));
      const asked = fields["permissions"];
      for (const permission of Array.isArray(asked) ? asked : []) this.#permissions.add(String(permission));
    } else if (type === "request.refused") {
      this.#place(record, isCounted, true);
      if (isCounted) this.#refused(String(fields["code"]), 1, record, seq);
    } else if (type === "request.refused_coalesced") {
      if (isCounted) this.#refused(String(fields["code"]), numberOf(fields["count"]), record, seq);
    } else if (OUTCOMES.has(type)) {
      if (!isCounted) return true;
      this.#outcomes.add(String(fields["code"] ?? fields["outcome"]));
      this.#counts.inputTokens += numberOf(fields["input_tokens"]);
      this.#counts.outputTokens += numberOf(fields["output_tokens"]);
      this.#counts.bytesOut += numberOf(fields["bytes"]);
      if (fields["is_estimated"] === true) this.#counts.estimated++;
    } else return false;
    return true;
  }

  #place({ seq, at, fields }: LedgerRecord, isCounted: boolean, isRefused: boolean): void {
    const said = fields["address"];
    const address = typeof said === "string" ? said : ERASED;
    if (this.addresses.use({ address, seq, at, isRefused, isEarlier: !isCounted })) {
      this.#decisive.add("address", seq, `first request from ${address}`);
      this.#timeline.mark(at, "address", `first request from ${address}`);
    }
    if (!isCounted) return;
    this.#timeline.use(at, address, isRefused);
    if (typeof fields["client"] === "string") this.#programs.add(fields["client"]);
  }

  #refused(code: string, count: number, { at }: LedgerRecord, seq: number): void {
    if (!this.#metCodes.has(code) && this.#metCodes.size < NAMES_MAX) {
      this.#metCodes.add(code);
      this.#decisive.add("code", seq, `first denial: ${code}`);
      this.#timeline.mark(at, "refusal", `first denial: ${code}`);
    }
    this.#codes.add(code, count);
    this.#counts.refused += count;
  }

  #ofItself(record: LedgerRecord, isCounted: boolean): void {
    const { type, at, seq } = record;
    if (type === "token.issued" || type === "token.revoked") {
      if (isCounted) this.#tokens.add(happening(record));
      return;
    }
    this.#life.add(happening(record));
    this.#decisive.add(TURNING.has(type) ? "always" : "life", seq, type);
    this.#timeline.mark(at, type, type);
  }

  #concernsRight({ type, fields, environment }: LedgerRecord): boolean {
    const { owner, roles } = this.#question;
    if (type === "role.changed") return roles.includes(String(fields["name"] ?? fields["role"]));
    if (type === "environment.changed") return fields["name"] === this.#question.environment;
    if (type === "policy.applied") return true;
    const isOwner = owner !== null && (fields["principal"] === owner || fields["person"] === owner);
    return isOwner && (environment === "system" || environment === this.#question.environment);
  }
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

function happening({ seq, at, environment, type, actor, fields }: LedgerRecord): Happening {
  const says = Object.entries(fields)
    .filter(([name, value]) => value !== null && name !== "key")
    .map(([name, value]) => `${name}=${Array.isArray(value) ? value.join(",") : String(value)}`)
    .join(" ")
    .slice(0, SAYS_MAX);
  return { seq, at: new Date(at).toISOString(), environment, type, actor, says };
}

const ADDRESSES_MAX = 24;
const CODES_MAX = 8;
const LIFE_MAX = 24;

const LIMITS = { always: Infinity, address: ADDRESSES_MAX, code: CODES_MAX, life: LIFE_MAX } as const;

class Decisive {
  readonly #records = new Map<number, string>();
  readonly #counts = new Map<string, number>();

  add(kind: keyof typeof LIMITS, seq: number, why: string): void {
    const count = this.#counts.get(kind) ?? 0;
    if (count >= LIMITS[kind] || this.#records.has(seq)) return;
    this.#counts.set(kind, count + 1);
    this.#records.set(seq, why);
  }

  result(): { seq: number; why: string }[] {
    return [...this.#records].map(([seq, why]) => ({ seq, why })).sort((a, b) => a.seq - b.seq);
  }
}
