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

export class Lease {
  /** Monotonic ms of the last sign of life of its request. */
  touchedMs = Infinity;
  readonly #book: LeaseBook;
  readonly #bounds: readonly QuotaBound[];
  readonly #held: number[];
  #isSettled = false;

  /** Made by `QuotaBook.reserve` alone. */
  constructor(book: LeaseBook, bounds: readonly QuotaBound[]) {
    this.#book = book;
    this.#bounds = bounds;
    this.#held = bounds.map(() => 0);
  }

  /** Part of `QuotaBook.reserve`, which has looked whether there is room. */
  take(bound: QuotaBound, amount: number): void {
    this.#book.hold(bound, amount);
    this.#held[this.#bounds.indexOf(bound)]! += amount;
  }

  /** So much of every hard budget of that name; Infinity without one. */
  held(name: QuotaName): number {
    let least = Infinity;
    this.#bounds.forEach((bound, i) => {
      if (bound.name === name && !bound.isSoft) least = Math.min(least, this.#held[i]!);
    });
    return least;
  }

  /** It holds at least so much of every budget of that name from now on, or as much as before and false. */
  holdAtLeast(name: QuotaName, amount: number): boolean {
    if (this.#isSettled) return false;
    const more = this.#bounds.map((bound, i) => (bound.name === name ? Math.max(0, amount - this.#held[i]!) : 0));
    if (!this.#bounds.every((bound, i) => more[i] === 0 || this.#book.hasRoom(bound, more[i]!))) return false;
    this.#bounds.forEach((bound, i) => {
      if (more[i]! > 0) this.take(bound, more[i]!);
    });
    return true;
  }

  settle(used: Amounts): void {
    this.#end((bound) => used[bound.name] ?? 0);
  }

  /** What it used is not known: all it held. */
  settleAsHeld(): void {
    this.#end((_, held) => held);
  }

  #end(usedOf: (bound: QuotaBound, held: number) => number): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#book.close(this);
    this.#bounds.forEach((bound, i) => this.#book.book(bound, this.#held[i]!, usedOf(bound, this.#held[i]!)));
  }
}
