/**
 * The fold of audit records into rows. A key can ask for any number of model names, so names get a separate row only if
 * a model server knew them, and only a bounded number for each key and day; the rest is one row.
 */
import { addBounded, OTHER_MODELS } from "./usage-row.ts";
import type { UsageCounter, UsageRow, UsageSubject } from "./usage-row.ts";
import type { UsageIncrement } from "./usage-record.ts";

/** Models with a separate row, for each key and day. */
export const MODELS_MAX = 64;
/** Keys and days whose models are remembered between two writes. */
const REMEMBERED_MAX = 10_000;

/** The models that already have a row, for a key and a day. */
export type ModelsOf = (day: number, environment: string, key: string) => Iterable<string>;

type OpenRow = UsageSubject & Record<UsageCounter | "firstAt" | "lastAt", number>;

/** One key on one day. */
interface KeyDay {
  readonly known: Set<string>;
  /** By the model of the row. Few rows differ in their owner, team or code. */
  readonly rows: Map<string, OpenRow[]>;
}

export class UsageFold {
  readonly #modelsOf: ModelsOf;
  readonly #keyDays = new Map<string, KeyDay>();
  #rows: OpenRow[] = [];

  /** `modelsOf` knows what was taken out of this fold before. */
  constructor(modelsOf: ModelsOf = () => []) {
    this.#modelsOf = modelsOf;
  }

  get size(): number {
    return this.#rows.length;
  }

  rows(): Iterable<UsageRow> {
    return this.#rows;
  }

  add(increment: UsageIncrement): void {
    const { day, environment, key, principal, team, code, firstAt, lastAt } = increment;
    const keyDay = this.#keyDay(day, environment, key);
    let { model } = increment;
    let rows = keyDay.rows.get(model);
    if (!rows) {
      model = modelFor(keyDay, increment);
      rows = keyDay.rows.get(model);
    }
    if (!rows) keyDay.rows.set(model, (rows = []));
    const row = rows.find((one) => one.code === code && one.principal === principal && one.team === team);
    if (!row) {
      const { isModelKnown: _isModelKnown, ...counts } = increment;
      const open = { ...counts, model };
      rows.push(open);
      this.#rows.push(open);
      return;
    }
    // Not in a loop over their names: the writer does this for every request.
    row.requests = addBounded(row.requests, increment.requests);
    row.denied = addBounded(row.denied, increment.denied);
    row.inputTokens = addBounded(row.inputTokens, increment.inputTokens);
    row.outputTokens = addBounded(row.outputTokens, increment.outputTokens);
    row.estimated = addBounded(row.estimated, increment.estimated);
    row.computeMs = addBounded(row.computeMs, increment.computeMs);
    row.queueMs = addBounded(row.queueMs, increment.queueMs);
    row.bytesIn = addBounded(row.bytesIn, increment.bytesIn);
    row.bytesOut = addBounded(row.bytesOut, increment.bytesOut);
    if (firstAt < row.firstAt) row.firstAt = firstAt;
    if (lastAt > row.lastAt) row.lastAt = lastAt;
  }

  /** The rows were taken over: the next ones begin at zero. */
  clear(): void {
    this.#rows = [];
    if (this.#keyDays.size > REMEMBERED_MAX) this.forgetModels();
    else for (const { rows } of this.#keyDays.values()) rows.clear();
  }

  /** They are asked for again. Only for an empty fold. */
  forgetModels(): void {
    this.#keyDays.clear();
  }

  #keyDay(day: number, environment: string, key: string): KeyDay {
    const name = `${day} ${environment} ${key}`;
    let keyDay = this.#keyDays.get(name);
    if (!keyDay) {
      keyDay = { known: new Set(this.#modelsOf(day, environment, key)), rows: new Map() };
      this.#keyDays.set(name, keyDay);
    }
    return keyDay;
  }
}

function modelFor({ known }: KeyDay, { model, isModelKnown }: UsageIncrement): string {
  if (model === "" || known.has(model)) return model;
  if (!isModelKnown || known.size >= MODELS_MAX) return OTHER_MODELS;
  known.add(model);
  return model;
}
