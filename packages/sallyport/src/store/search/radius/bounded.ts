/** Counts and lists over a ledger of any length, in bounded memory, that say what they omit. */

export interface Counts {
  readonly rows: { name: string; count: number }[];
  /** Occurrences of names that were not kept apart. */
  readonly others: number;
}

/** The first `max` different names are kept apart, the rest is counted together. */
export class BoundedCounts {
  readonly #counts = new Map<string, number>();
  readonly #max: number;
  #others = 0;

  constructor(max: number) {
    this.#max = max;
  }

  add(name: string, count = 1): void {
    const held = this.#counts.get(name);
    if (held !== undefined || this.#counts.size < this.#max) this.#counts.set(name, (held ?? 0) + count);
    else this.#others += count;
  }

  /** Most frequent first. */
  result(): Counts {
    const rows = [...this.#counts].map(([name, count]) => ({ name, count })).sort((a, b) => b.count - a.count);
    return { rows, others: this.#others };
  }
}

/** The first and the last of a list, half of `max` each: how it began, and how it is now. */
export class BoundedList<T> {
  readonly #first: T[] = [];
  #last: T[] = [];
  readonly #half: number;
  #more = 0;

  constructor(max: number) {
    this.#half = Math.ceil(max / 2);
  }

  add(one: T): void {
    if (this.#first.length < this.#half) {
      this.#first.push(one);
      return;
    }
    this.#last.push(one);
    // Shortened now and then, not with each one.
    if (this.#last.length < 2 * this.#half) return;
    this.#more += this.#half;
    this.#last = this.#last.slice(this.#half);
  }

  result(): { readonly rows: T[]; readonly more: number } {
    const surplus = Math.max(0, this.#last.length - this.#half);
    return { rows: [...this.#first, ...this.#last.slice(surplus)], more: this.#more + surplus };
  }
}
