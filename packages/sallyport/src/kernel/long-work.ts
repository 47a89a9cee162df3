/**
 * Long work on the thread that serves requests, cut into slices: after a few milliseconds it lets requests go first. The
 * thread is one, so all long work in the program stands in one line: a round of the event loop holds one slice, however
 * many calls run at the same time. Sliced work must judge something that does not change meanwhile: one snapshot.
 */
import { systemClock } from "./clock.ts";
import type { Clock } from "./clock.ts";

/** A slice. The budget of a turn is 20 ms; the rest is for what else the round brings, and for the garbage collector. */
const SLICE_MS = 5;

/** Who stands in line for the thread. `later` calls once other callbacks have had their turn. */
export class ThreadLine {
  readonly #later: (next: () => void) => void;
  readonly #waiting: (() => void)[] = [];
  #isNextPlanned = false;

  constructor(later: (next: () => void) => void = setImmediate) {
    this.#later = later;
  }

  /** Resolves when it is the caller's turn again. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#plan();
    });
  }

  #plan(): void {
    if (this.#isNextPlanned || this.#waiting.length === 0) return;
    this.#isNextPlanned = true;
    this.#later(() => {
      this.#isNextPlanned = false;
      this.#waiting.shift()?.();
      this.#plan();
    });
  }
}

const requestThread = new ThreadLine();

export class LongWork {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #line: ThreadLine;
  #endsAtMs: number;

  /** The first slice begins now. */
  constructor(clock: Pick<Clock, "monotonic"> = systemClock, line: ThreadLine = requestThread) {
    this.#clock = clock;
    this.#line = line;
    this.#endsAtMs = clock.monotonic() + SLICE_MS;
  }

  /** Undefined while the slice lasts; else a promise to await, after which the next one has begun. */
  rest(): Promise<void> | undefined {
    return this.#clock.monotonic() < this.#endsAtMs ? undefined : this.#wait();
  }

  async #wait(): Promise<void> {
    await this.#line.wait();
    this.#endsAtMs = this.#clock.monotonic() + SLICE_MS;
  }

  /** Visits all values, in slices. One visit must be short. */
  async each<T>(values: Iterable<T>, visit: (value: T) => void): Promise<void> {
    for (const value of values) {
      visit(value);
      const resting = this.rest();
      if (resting) await resting;
    }
  }

  /** Those that are asked for, in their order. */
  async filter<T>(values: Iterable<T>, isAsked: (value: T) => boolean): Promise<T[]> {
    const found: T[] = [];
    await this.each(values, (value) => {
      if (isAsked(value)) found.push(value);
    });
    return found;
  }

  /** What is made of each value, in one list. */
  async flatMap<T, R>(values: Iterable<T>, make: (value: T) => readonly R[]): Promise<R[]> {
    const all: R[] = [];
    await this.each(values, (value) => {
      for (const one of make(value)) all.push(one);
    });
    return all;
  }
}
