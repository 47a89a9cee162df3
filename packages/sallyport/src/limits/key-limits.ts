/**
 * Request rate and concurrency per key. A key without limits costs nothing here; a key with several (of its
 * environment, its role, itself) must pass each. Memory is bounded: idle entries are removed when the table has grown.
 */
import { gcra, nextArrival } from "./gcra.ts";
import type { RateVerdict } from "./gcra.ts";
import type { Limits } from "../access/policy.ts";

export interface BoundLimits {
  readonly origin: string;
  readonly limits: Limits;
}

const SWEEP_ABOVE = 10_000;

export class KeyLimits {
  /** By key, then by where the bound is written. */
  readonly #arrivals = new Map<string, Map<string, number>>();
  readonly #running = new Map<string, number>();
  #sweepAbove = SWEEP_ABOVE;

  /**
   * Counts one request against every rate of the key: all of them or, if one denies it, none. Undefined without a rate.
   */
  takeRequest(key: string, bounds: readonly BoundLimits[], nowMs: number): RateVerdict | undefined {
    let arrivals = this.#arrivals.get(key);
    let tightest: RateVerdict | undefined;
    // Two passes: a request that one bound denies is counted against none.
    for (const { origin, limits } of bounds) {
      if (!limits.requests) continue;
      const { count, windowMs } = limits.requests;
      const verdict = gcra(arrivals?.get(origin) ?? 0, nowMs, count, windowMs);
      if (!verdict.isAllowed) return verdict;
      if (!tightest || verdict.remaining < tightest.remaining) tightest = verdict;
    }
    if (!tightest) return undefined;
    if (!arrivals) {
      if (this.#arrivals.size >= this.#sweepAbove) this.#sweep(nowMs);
      arrivals = new Map();
      this.#arrivals.set(key, arrivals);
    }
    for (const { origin, limits } of bounds) {
      if (!limits.requests) continue;
      const { count, windowMs } = limits.requests;
      arrivals.set(origin, nextArrival(arrivals.get(origin) ?? 0, nowMs, count, windowMs));
    }
    return tightest;
  }

  /** Takes a slot of the key; false when it runs as many as its smallest bound allows. Release exactly once per true. */
  takeSlot(key: string, bounds: readonly BoundLimits[]): boolean {
    const running = this.#running.get(key) ?? 0;
    for (const { limits } of bounds) {
      if (limits.concurrency !== undefined && running >= limits.concurrency) return false;
    }
    this.#running.set(key, running + 1);
    return true;
  }

  releaseSlot(key: string): void {
    const running = this.#running.get(key) ?? 0;
    if (running <= 1) this.#running.delete(key);
    else this.#running.set(key, running - 1);
  }

  running(key: string): number {
    return this.#running.get(key) ?? 0;
  }

  #sweep(nowMs: number): void {
    for (const [key, arrivals] of this.#arrivals) {
      let isIdle = true;
      for (const arrivalMs of arrivals.values()) isIdle &&= arrivalMs <= nowMs;
      if (isIdle) this.#arrivals.delete(key);
    }
    this.#sweepAbove = Math.max(SWEEP_ABOVE, this.#arrivals.size * 2);
  }
}
