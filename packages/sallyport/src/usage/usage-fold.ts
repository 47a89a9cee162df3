/**
 * The fold of audit records into rows. A key can ask for any number of model names, so names get a row of their own
 * only if a model server knew them, and only a bounded number for each key and day; the rest is one row.
 */
import { addBounded, OTHER_MODELS, subjectText, usageCounters } from "./usage-row.ts";
import type { UsageCounter, UsageRow, UsageSubject } from "./usage-row.ts";
import type { UsageIncrement } from "./usage-record.ts";

/** Models with a row of their own, for each key and day. */
export const MODELS_MAX = 64;
/** Keys and days whose models are remembered between two writes. */
const REMEMBERED_MAX = 10_000;

/** The models that already have a row, for a key and a day. */
export type ModelsOf = (day: number, environment: string, key: string) => Iterable<string>;

type OpenRow = UsageSubject & Record<UsageCounter | "firstAt" | "lastAt", number>;

export class UsageFold {
  readonly #modelsOf: ModelsOf;
  #rows = new Map<string, OpenRow>();
  readonly #models = new Map<string, Set<string>>();

  /** `modelsOf` knows what was taken out of this fold before. */
  constructor(modelsOf: ModelsOf = () => []) {
    this.#modelsOf = modelsOf;
  }

  get size(): number {
    return this.#rows.size;
  }

  rows(): Iterable<UsageRow> {
    return this.#rows.values();
  }

  add(increment: UsageIncrement): void {
    const { day, environment, key, principal, team, code, firstAt, lastAt } = increment;
    const subject = { day, environment, key, principal, team, model: this.#modelFor(increment), code };
    const name = subjectText(subject);
    const row = this.#rows.get(name);
    if (!row) {
      const { isModelKnown: _isModelKnown, ...counts } = increment;
      this.#rows.set(name, { ...counts, ...subject });
      return;
    }
    for (const counter of usageCounters) row[counter] = addBounded(row[counter], increment[counter]);
    row.firstAt = Math.min(row.firstAt, firstAt);
    row.lastAt = Math.max(row.lastAt, lastAt);
  }

  /** The rows were taken over: the next ones begin at zero. */
  clear(): void {
    this.#rows = new Map();
    if (this.#models.size > REMEMBERED_MAX) this.forgetModels();
  }

  /** They are asked for again. Only for an empty fold. */
  forgetModels(): void {
    this.#models.clear();
  }

  #modelFor({ day, environment, key, model, isModelKnown }: UsageIncrement): string {
    if (model === "") return "";
    const name = `${day}\n${environment}\n${key}`;
    let known = this.#models.get(name);
    if (!known) this.#models.set(name, (known = new Set(this.#modelsOf(day, environment, key))));
    if (known.has(model)) return model;
    if (!isModelKnown || known.size >= MODELS_MAX) return OTHER_MODELS;
    known.add(model);
    return model;
  }
}
