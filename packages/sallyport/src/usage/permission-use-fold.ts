/**
 * The fold of audit records into counters of permissions. As in `usage-fold.ts`, a key gets rows for a bounded number of
 * models a day, and denied requests only for models that the key used: a key can ask for any number of names.
 */
import { demandsOf } from "./recorded-demand.ts";
import type { RecordedDemand } from "./recorded-demand.ts";
import { MODELS_MAX } from "./usage-fold.ts";
import type { ModelsOf } from "./usage-fold.ts";
import { addBounded, dayOf, OTHER_MODELS } from "./usage-row.ts";
import type { PermissionUseRow } from "./permission-use.ts";

type OpenRow = { -readonly [N in keyof PermissionUseRow]: PermissionUseRow[N] };

interface KeyDay {
  readonly known: Set<string>;
  /** The rows that a record adds to, by what it demanded: most records of a key demand the same. */
  readonly byDemanded: Map<string, readonly OpenRow[]>;
  readonly rows: Map<string, OpenRow>;
}

/** Keys and days that are remembered between two writes, and different demands of one of them. */
const REMEMBERED_MAX = 10_000;
const DEMANDED_MAX = 256;

export class PermissionUseFold {
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

  rows(): Iterable<PermissionUseRow> {
    return this.#rows;
  }

  add({ at, environment, key, isDenied, demanded }: RecordedDemand): void {
    const day = dayOf(at);
    const keyDay = this.#keyDay(day, environment, key);
    const name = isDenied ? `-${demanded}` : demanded;
    let rows = keyDay.byDemanded.get(name);
    if (!rows) {
      rows = demandsOf(demanded).map(({ permission, model }) =>
        this.#row(keyDay, { day, environment, key, permission, model: modelFor(keyDay, model, isDenied), isDenied }),
      );
      if (keyDay.byDemanded.size >= DEMANDED_MAX) keyDay.byDemanded.clear();
      // What a denied request asked for may be used by the next one: it gets its row then.
      if (!isDenied) keyDay.byDemanded.set(name, rows);
    }
    for (const row of rows) {
      row.count = addBounded(row.count, 1);
      if (at < row.firstAt) row.firstAt = at;
      if (at > row.lastAt) row.lastAt = at;
    }
  }

  /** The rows were taken over: the next ones begin at zero. */
  clear(): void {
    this.#rows = [];
    if (this.#keyDays.size > REMEMBERED_MAX) this.forgetModels();
    for (const { rows, byDemanded } of this.#keyDays.values()) {
      rows.clear();
      byDemanded.clear();
    }
  }

  /** They are asked for again. Only for an empty fold. */
  forgetModels(): void {
    this.#keyDays.clear();
  }

  #keyDay(day: number, environment: string, key: string): KeyDay {
    const name = `${day} ${environment} ${key}`;
    let keyDay = this.#keyDays.get(name);
    if (!keyDay) {
      keyDay = { known: new Set(this.#modelsOf(day, environment, key)), byDemanded: new Map(), rows: new Map() };
      this.#keyDays.set(name, keyDay);
    }
    return keyDay;
  }

  #row(keyDay: KeyDay, subject: Omit<PermissionUseRow, "count" | "firstAt" | "lastAt">): OpenRow {
    const name = `${subject.isDenied ? "-" : "+"}${subject.permission} ${subject.model}`;
    let row = keyDay.rows.get(name);
    if (!row) {
      row = { ...subject, count: 0, firstAt: Infinity, lastAt: 0 };
      keyDay.rows.set(name, row);
      this.#rows.push(row);
    }
    return row;
  }
}

function modelFor({ known }: KeyDay, model: string, isDenied: boolean): string {
  if (model === "" || known.has(model)) return model;
  if (isDenied || known.size >= MODELS_MAX) return OTHER_MODELS;
  known.add(model);
  return model;
}
