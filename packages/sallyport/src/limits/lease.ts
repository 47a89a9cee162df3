/** What one request has reserved of its budgets. It has an owner, who settles it once; a second time does nothing. */
import type { Amounts, QuotaBound, QuotaName } from "./quota.ts";

/** Where budgets are kept. */
export interface LeaseBook {
  /** There is so much left of a budget, or it only notifies. */
  hasRoom(bound: QuotaBound, amount: number): boolean;
  /** Reserves one more part of a budget, for a lease that has looked whether there is room. */
  hold(bound: QuotaBound, amount: number): void;
  /** What a lease held is free again, and what it used is used. */
  book(bound: QuotaBound, held: number, used: number): void;
  close(lease: Lease): void;
}

interface Part {
  bound: QuotaBound;
  held: number;
}

export class Lease {
  /** The id of its request. */
  readonly owner: string;
  /** Monotonic ms of the last sign of life of its request. */
  touchedMs = Infinity;
  readonly #book: LeaseBook;
  readonly #parts: Part[];
  #isSettled = false;

  /** Made by `QuotaBook.reserve` alone, which has looked whether there is room. */
  constructor(book: LeaseBook, owner: string, bounds: readonly QuotaBound[], wanted: Amounts) {
    this.#book = book;
    this.owner = owner;
    this.#parts = bounds.map((bound) => ({ bound, held: 0 }));
    for (const part of this.#parts) this.#hold(part, wanted[part.bound.name] ?? 0);
  }

  /** What it holds of each of its budgets. */
  get parts(): readonly Readonly<Part>[] {
    return this.#parts;
  }

  /** So much of every hard budget of that name; Infinity without one. */
  held(name: QuotaName): number {
    let least = Infinity;
    for (const { bound, held } of this.#parts) if (bound.name === name && !bound.isSoft) least = Math.min(least, held);
    return least;
  }

  /** What it has reserved of budgets of that name, hard or soft; undefined without one. */
  reserved(name: QuotaName): number | undefined {
    let most: number | undefined;
    for (const { bound, held } of this.#parts) if (bound.name === name) most = Math.max(most ?? 0, held);
    return most;
  }

  /** It holds at least so much of every budget from now on, or of each as much as before and false. */
  holdAtLeast(wanted: Amounts): boolean {
    if (this.#isSettled) return false;
    const lacking = ({ bound, held }: Part): number => Math.max(0, (wanted[bound.name] ?? 0) - held);
    for (const part of this.#parts) {
      const more = lacking(part);
      if (more > 0 && !this.#book.hasRoom(part.bound, more)) return false;
    }
    for (const part of this.#parts) {
      const more = lacking(part);
      if (more > 0) this.#hold(part, more);
    }
    return true;
  }

  /**
   * Policy has changed: it draws from these budgets from now on, from a new one as much as from others of its name.
   * Returns those that became smaller, or are new.
   */
  rebind(bounds: readonly QuotaBound[]): QuotaBound[] {
    if (this.#isSettled) return [];
    const isOf = (bound: QuotaBound) => (part: Part) =>
      part.bound.account === bound.account && part.bound.name === bound.name && part.bound.windowMs === bound.windowMs;
    const narrowed: QuotaBound[] = [];
    const added: Part[] = [];
    for (const bound of bounds) {
      const part = this.#parts.find(isOf(bound));
      if (part === undefined) added.push({ bound, held: 0 });
      if (part === undefined || bound.amount < part.bound.amount) narrowed.push(bound);
      if (part !== undefined) part.bound = bound;
    }
    for (const part of this.#parts)
      // What it holds of a budget that is no more stays in the account until it settles, and bounds nothing.
      if (!bounds.includes(part.bound)) part.bound = { ...part.bound, amount: Infinity, isSoft: true };
    for (const part of added) {
      const held = this.reserved(part.bound.name) ?? 0;
      this.#parts.push(part);
      this.#hold(part, held);
    }
    return narrowed;
  }

  settle(used: Amounts): void {
    this.#end(({ bound }) => used[bound.name] ?? 0);
  }

  /** What it used is not known: all it held. */
  settleAsHeld(): void {
    this.#end(({ held }) => held);
  }

  #hold(part: Part, amount: number): void {
    this.#book.hold(part.bound, amount);
    part.held += amount;
  }

  #end(usedOf: (part: Part) => number): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#book.close(this);
    for (const part of this.#parts) this.#book.book(part.bound, part.held, usedOf(part));
  }
}
