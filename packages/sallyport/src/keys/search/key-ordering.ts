/**
 * The orders of a list of keys. Nearly all rows are compared by numbers alone; texts are made for those that are equal so
 * far. A cursor is the place of a key and not a count, so that a page begins where the one before ended, whatever changed.
 */
import type { KeyColumns } from "./key-columns.ts";
import { textStart } from "./key-columns.ts";
import type { OldSecrets } from "./old-secrets.ts";
import type { TextBlocks } from "./text-blocks.ts";

export type KeySort = "id" | "name" | "created" | "expires" | "used";

/** All that is searched, as the index has it. */
export interface SearchedKeys {
  readonly columns: KeyColumns;
  readonly texts: TextBlocks;
  readonly owners: TextBlocks;
  readonly ownerCount: number;
  readonly ownerNumber: (id: string) => number | undefined;
  readonly environments: readonly string[];
  readonly oldSecrets: OldSecrets;
  readonly rowOf: (environment: string, id: string) => number;
  readonly placeAt: (row: number) => { readonly environment: string; readonly id: string };
}

/** Where a key is in an order: numbers first, then its name (where the order is by name), environment and id. */
export interface Rank {
  readonly first: number;
  readonly second: number;
  readonly text: string;
  readonly environment: string;
  readonly idStart: number;
  readonly id: string;
}

/** What ends the name in a row's text (a tab). */
const NAME_END = 9;

/** The lower, the earlier: the newest, the soonest and the last used come first; what never was comes last. */
const FIRST: { readonly [O in KeySort]: (columns: KeyColumns, row: number) => number } = {
  id: () => 0,
  name: ({ nameStart }, row) => nameStart[row]!,
  created: ({ createdAt }, row) => -createdAt[row]!,
  expires: ({ expiresAt }, row) => expiresAt[row]!,
  used: ({ usedAt }, row) => (usedAt[row] === 0 ? Infinity : -usedAt[row]!),
};

export class KeyOrdering {
  readonly #from: SearchedKeys;
  readonly #order: KeySort;

  constructor(from: SearchedKeys, order: KeySort) {
    this.#from = from;
    this.#order = order;
  }

  /** Below zero where the row comes before the rank. */
  compare(row: number, rank: Rank): number {
    const { columns, environments, placeAt } = this.#from;
    return (
      compareNumbers(FIRST[this.#order](columns, row), rank.first) ||
      compareNumbers(this.#second(row), rank.second) ||
      (this.#order === "name" ? this.#from.texts.compareStart(row, NAME_END, rank.text) : 0) ||
      compareTexts(environments[columns.environment[row]! - 1]!, rank.environment) ||
      compareNumbers(columns.idStart[row]!, rank.idStart) ||
      compareTexts(placeAt(row).id, rank.id)
    );
  }

  rankOf(row: number): Rank {
    const { columns, placeAt } = this.#from;
    return {
      first: FIRST[this.#order](columns, row),
      second: this.#second(row),
      text: this.#order === "name" ? this.#nameOf(row) : "",
      ...placeAt(row),
      idStart: columns.idStart[row]!,
    };
  }

  /**
   * `environment/id`, with a third part where the order is by a time: that may change before the next page is asked for,
   * and the page still goes on where it was. Names do not change.
   */
  cursorOf({ environment, id, first }: Rank): string {
    const place = `${environment}/${id}`;
    if (this.#order === "id" || this.#order === "name") return place;
    return `${place}/${first === Infinity ? "none" : Math.abs(first)}`;
  }

  /** A text that is no cursor of this order names a place before all others. */
  rankOfCursor(text: string): Rank {
    const [environment = "", id = "", time = ""] = text.split("/");
    const place = { second: 0, text: "", environment, id, idStart: textStart(id, 0) };
    if (this.#order === "id") return { ...place, first: 0 };
    if (this.#order === "name") {
      const row = this.#from.rowOf(environment, id);
      return row >= 0 && this.#from.columns.environment[row] ? this.rankOf(row) : { ...place, first: -Infinity };
    }
    if (time === "none") return { ...place, first: Infinity };
    if (!/^[0-9]{1,15}$/.test(time)) return { ...place, first: -Infinity };
    return { ...place, first: this.#order === "expires" ? Number(time) : -Number(time) };
  }

  #second(row: number): number {
    return this.#order === "name" ? this.#from.columns.nameNext[row]! : 0;
  }

  #nameOf(row: number): string {
    return this.#from.texts.textOf(row).split("\t", 1)[0] ?? "";
  }
}

/** Infinite ones are equal to each other, which their difference is not. */
function compareNumbers(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
