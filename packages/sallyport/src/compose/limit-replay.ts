/**
 * What limits and budgets would have denied of recorded requests. Each request is admitted or not as the gateway would have
 * done, with what it really used; a denied one uses nothing. A key has the roles it was made with: assignments made later
 * are not in its record.
 */
import { parseModelName } from "@sallyport/protocol";
import { limitRowsOf } from "../access/limit-rows.ts";
import type { LimitRow } from "../access/limit-rows.ts";
import type { Environment } from "../access/policy.ts";
import type { PolicyDocument } from "../access/policy-file.ts";
import { readPolicyText } from "../access/policy-text.ts";
import type { ExportedRecord } from "../anomaly/replay/from-records.ts";
import { KeyLimits } from "../limits/key-limits.ts";
import { Lease } from "../limits/lease.ts";
import { quotaBoundsOf } from "../limits/quota-bounds.ts";
import { QuotaBook } from "../limits/quota-book.ts";
import type { QuotaBound } from "../limits/quota.ts";
import { usedAmounts } from "../limits/recorded-amounts.ts";

export interface LimitReplayed {
  readonly requests: number;
  readonly denied: number;
  /** Requests that would have begun, and whose stream would have ended earlier. */
  readonly shortened: number;
  /** Requests of keys whose creation is not in the file: their roles are not known. */
  readonly ofUnknownKeys: number;
  /** Epoch ms; null without a request. */
  readonly from: number | null;
  readonly until: number | null;
  readonly limits: readonly { readonly limit: string; readonly denied: number; readonly shortened: number }[];
  readonly first: readonly {
    readonly at: number;
    readonly environment: string;
    readonly key: string;
    readonly limit: string;
  }[];
}

interface Running {
  readonly lease: Lease | null;
  readonly bounds: readonly QuotaBound[];
  readonly places: readonly string[];
}

const FIRST = 10;

/** A replay under a policy file, or the mistakes in it. */
export function openLimitReplay(policyText: string): LimitReplay | readonly string[] {
  const read = readPolicyText(policyText);
  return read.ok ? new LimitReplay(read.policy) : read.mistakes;
}

export class LimitReplay {
  readonly #policy: PolicyDocument;
  readonly #limits = new KeyLimits();
  readonly #book: QuotaBook;
  readonly #keys = new Map<string, { readonly owner: string; readonly roles: readonly string[] }>();
  /** By user: outcomes say it, so it is known from a user's first one on. */
  readonly #teams = new Map<string, string>();
  readonly #running = new Map<string, Running>();
  readonly #byLimit = new Map<string, { denied: number; shortened: number }>();
  readonly #first: LimitReplayed["first"][number][] = [];
  readonly #sums = { requests: 0, denied: 0, shortened: 0, ofUnknownKeys: 0 };
  #from: number | null = null;
  #nowMs = 0;

  constructor(policy: PolicyDocument) {
    this.#policy = policy;
    this.#book = new QuotaBook({ now: () => this.#nowMs, onUsedUp: () => {} });
  }

  take(record: ExportedRecord): void {
    // Records of requests that ended out of order do not turn the clock back.
    this.#nowMs = Math.max(this.#nowMs, record.at);
    if (record.type === "key.issued") return this.#noteKey(record);
    if (record.type === "request.intent") return this.#begin(record);
    if (record.type === "request.outcome") this.#end(record);
  }

  result(): LimitReplayed {
    const limits = [...this.#byLimit].map(([limit, counts]) => ({ limit, ...counts }));
    return {
      ...this.#sums,
      from: this.#from,
      until: this.#from === null ? null : this.#nowMs,
      limits: limits.toSorted((a, b) => b.denied + b.shortened - a.denied - a.shortened),
      first: this.#first,
    };
  }

  #noteKey({ environment, fields }: ExportedRecord): void {
    const roles = Array.isArray(fields["roles"]) ? fields["roles"].map(String) : [];
    this.#keys.set(`${environment} ${String(fields["key"])}`, { owner: String(fields["owner"]), roles });
  }

  #begin(record: ExportedRecord): void {
    const { environment: name, actor, fields, at } = record;
    const environment = this.#policy.environments.find((one) => one.name === name);
    this.#sums.requests++;
    this.#from ??= at;
    if (!environment) return;
    const id = actor.slice("key:".length);
    const known = this.#keys.get(`${name} ${id}`);
    if (!known) this.#sums.ofUnknownKeys++;
    const owner = typeof fields["principal"] === "string" ? fields["principal"] : (known?.owner ?? id);
    const team = this.#teams.get(owner) ?? null;
    const roles = this.#policy.roles.filter((role) => known?.roles.includes(role.name));
    const rows = limitRowsOf(environment, { id: owner, team }, {}, roles);
    const reason = this.#admit(record, environment, rows, id);
    if (reason === undefined) return;
    this.#sums.denied++;
    this.#countOf(reason).denied++;
    if (this.#first.length < FIRST) this.#first.push({ at, environment: name, key: id, limit: reason });
  }

  /** Why it would have been denied; undefined where it would have begun. */
  #admit(
    { fields }: ExportedRecord,
    environment: Pick<Environment, "name" | "quotas">,
    rows: readonly LimitRow[],
    keyId: string,
  ): string | undefined {
    const key = `${environment.name} key ${keyId}`;
    const rate = this.#limits.takeRequest(key, rows, this.#nowMs);
    if (rate && !rate.isAllowed) return "requests";
    const places = this.#limits.takePlaces(key, rows);
    if (places === null) return "concurrency";
    const model = typeof fields["model"] === "string" ? (parseModelName(fields["model"]) ?? null) : null;
    const bounds = quotaBoundsOf(environment, rows, keyId, model);
    const least = { requests: 1, tokens: 1, inputTokens: 1, outputTokens: 1, compute: 1, bytes: 1, images: 0 };
    const lease = bounds.length === 0 ? null : this.#book.reserve(String(fields["request"]), bounds, least);
    if (lease !== null && !(lease instanceof Lease)) {
      this.#limits.release(places);
      return `${lease.bound.name} of ${lease.bound.account}`;
    }
    this.#running.set(String(fields["request"]), { lease, bounds, places });
    return undefined;
  }

  #end({ fields }: ExportedRecord): void {
    const { principal, team } = fields;
    if (typeof principal === "string" && typeof team === "string") this.#teams.set(principal, team);
    const id = String(fields["request"]);
    const running = this.#running.get(id);
    if (!running) return;
    this.#running.delete(id);
    this.#limits.release(running.places);
    const { lease, bounds } = running;
    if (lease === null) return;
    const used = usedAmounts(fields);
    for (const name of ["tokens", "outputTokens", "compute", "bytes"] as const) {
      if (lease.held(name) === Infinity || lease.holdAtLeast({ [name]: used[name] })) continue;
      this.#sums.shortened++;
      this.#countOf(name).shortened++;
      // The gateway would have ended it where the budget ends.
      return lease.settle({ ...used, [name]: lease.held(name) + this.#book.room(bounds, name) });
    }
    lease.settle(used);
  }

  #countOf(limit: string): { denied: number; shortened: number } {
    let counts = this.#byLimit.get(limit);
    if (!counts) this.#byLimit.set(limit, (counts = { denied: 0, shortened: 0 }));
    return counts;
  }
}
