/**
 * The decisions that the audit log records of some keys, folded: one row for each different demand of a key, with how often
 * it was recorded. A decision depends on nothing else that is recorded, so deciding a row decides all of its records.
 */
import { readDemand, readPlainIntent } from "./recorded-demand.ts";
import type { KeyName } from "./usage-report.ts";

/** The requests of one key that demanded the same. */
export interface RecordedDecision {
  readonly demanded: string;
  readonly count: number;
  /** The first of them. Epoch ms. */
  readonly firstAt: number;
  readonly firstRequest: string;
}

export interface KeyDecisions extends KeyName {
  readonly decisions: readonly RecordedDecision[];
  /** Records beyond the bound of different demands: they were read, and are not in the rows. */
  readonly unfolded: number;
}

/** A key can name any number of models. */
const DEMANDS_MAX = 1_024;

type OpenDecision = { -readonly [N in keyof RecordedDecision]: RecordedDecision[N] };

interface OpenKey {
  readonly name: KeyName;
  readonly byDemanded: Map<string, OpenDecision>;
  unfolded: number;
}

export class DecisionFold {
  readonly #byKey = new Map<string, OpenKey>();
  readonly #since: number;
  readonly #until: number;
  #count = 0;
  #from: number | null = null;

  /** Records of these keys, from `since` to `until` (epoch ms, inclusive). */
  constructor(keys: Iterable<KeyName>, since: number, until: number) {
    this.#since = since;
    this.#until = until;
    for (const name of keys)
      this.#byKey.set(`${name.environment}/${name.id}`, { name, byDemanded: new Map(), unfolded: 0 });
  }

  /** Decisions that were folded so far. */
  get count(): number {
    return this.#count;
  }

  /** Time of the first of them, epoch ms; null without any. */
  get from(): number | null {
    return this.#from;
  }

  /** `kept`: a record of the audit log, with or without what stands beside it. */
  take(kept: string): void {
    // An intent of the usual form is read up to its model: what comes after it need not be taken off first.
    const demand = readPlainIntent(kept) ?? readDemand(kept.split("\t", 1)[0] ?? "");
    if (!demand || demand.isDenied || demand.at < this.#since || demand.at > this.#until) return;
    const key = this.#byKey.get(`${demand.environment}/${demand.key}`);
    if (!key) return;
    this.#count++;
    if (this.#from === null || demand.at < this.#from) this.#from = demand.at;
    const row = key.byDemanded.get(demand.demanded);
    if (row) row.count++;
    else if (key.byDemanded.size >= DEMANDS_MAX) key.unfolded++;
    else {
      const { demanded, at: firstAt, request: firstRequest } = demand;
      key.byDemanded.set(demanded, { demanded, count: 1, firstAt, firstRequest });
    }
  }

  result(): readonly KeyDecisions[] {
    return [...this.#byKey.values()].map(({ name, byDemanded, unfolded }) => ({
      ...name,
      decisions: [...byDemanded.values()],
      unfolded,
    }));
  }
}
