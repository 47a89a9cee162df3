/**
 * Long work on the thread that serves requests, in slices: after a few milliseconds it lets requests go first. All long
 * work in the program shares one slice in each round of the event loop, however many calls run at the same time, and
 * waits in one line for the next. Sliced work must judge something that does not change meanwhile: one snapshot.
 */
import { systemClock } from "./clock.ts";
import type { Clock } from "./clock.ts";

/**
 * The budget of a turn is 20 ms. A collection of what is young takes up to 15 of them, and no slice can keep it away; what
 * else the round brings (a body that is read, an answer that is written) needs the rest.
 */
const SLICE_MS = 3;

/** Who stands in line for the thread. `later` calls in the next round of the loop. */
export class ThreadLine {
  readonly #later: (next: () => void) => void;
  readonly #waiting: (() => void)[] = [];
  #isNextPlanned = false;
  /** Of this round's slice; undefined = no work was done in this round yet. */
  #endsAtMs: number | undefined;

  constructor(later: (next: () => void) => void = inNextRound) {
    this.#later = later;
  }

  /** When the slice of this round ends. The first caller begins it. */
  endOfSlice(nowMs: number): number {
    this.#endsAtMs ??= nowMs + SLICE_MS;
    this.#plan();
    return this.#endsAtMs;
  }

  /** Resolves when it is the caller's turn again. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#plan();
    });
  }

  #plan(): void {
    if (this.#isNextPlanned) return;
    this.#isNextPlanned = true;
    this.#later(() => {
      this.#isNextPlanned = false;
      this.#endsAtMs = undefined;
      this.#waiting.shift()?.();
      if (this.#waiting.length > 0) this.#plan();
    });
  }
}

/** What is planned in a callback of I/O as "immediate" still runs in the same round; what that one plans runs in the next. */
function inNextRound(next: () => void): void {
  setImmediate(() => setImmediate(next));
}

const requestThread = new ThreadLine();

/** Resolves in a later round, when it is the caller's turn: what follows a long piece of other work begins there. */
export function nextRound(): Promise<void> {
  return requestThread.wait();
}

export class LongWork {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #line: ThreadLine;

  /** It begins now. */
  constructor(clock: Pick<Clock, "monotonic"> = systemClock, line: ThreadLine = requestThread) {
    this.#clock = clock;
    this.#line = line;
    line.endOfSlice(clock.monotonic());
  }

  /** Undefined while the slice lasts; else a promise to await, after which there is another one. */
  rest(): Promise<void> | undefined {
    const now = this.#clock.monotonic();
    return now < this.#line.endOfSlice(now) ? undefined : this.#wait();
  }

  async #wait(): Promise<void> {
    await this.#line.wait();
    this.#line.endOfSlice(this.#clock.monotonic());
  }

  /** Visits all values, in slices. One visit must be short. */
  async each<T>(values: Iterable<T>, visit: (value: T) => void): Promise<void> {
    for (const value of values) {
      const resting = this.rest();
      if (resting) await resting;
      visit(value);
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
