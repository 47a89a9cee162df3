/**
 * Request rates and requests at the same time: of a key, of a user, of a team, of an environment. A key without limits
 * costs nothing here; one with several must pass each. Memory is bounded: idle entries are removed when the table has
 * grown. Days and longer windows are budgets (`quota-book.ts`), which a restart does not forget.
 */
import { gcra, nextArrival } from "./gcra.ts";
import type { RateVerdict } from "./gcra.ts";
import type { Limits } from "../access/policy.ts";

export interface BoundLimits {
  readonly origin: string;
  /** The name under which requests are counted together; absent or null = those of the key that asks, by origin. */
  readonly account?: string | null;
  /** Only requests with some models: not known yet when rates are looked at, so it is a budget. */
  readonly selector?: object | null;
  readonly limits: Limits;
}

/** Shorter windows are rates, which refill all the time; others are budgets of the calendar. */
export const RATE_WINDOW_MAX_MS = 86_400_000 - 1;

const SWEEP_ABOVE = 10_000;

export class KeyLimits {
  /** Theoretical arrival times, by account and where the rate is written. */
  readonly #arrivals = new Map<string, number>();
  readonly #running = new Map<string, number>();
  #sweepAbove = SWEEP_ABOVE;

  /**
   * Counts one request against every rate of the key: all of them or, if one denies it, none. Undefined without a rate.
   */
  takeRequest(key: string, bounds: readonly BoundLimits[], nowMs: number): RateVerdict | undefined {
    let tightest: RateVerdict | undefined;
    // Two passes: a request that one bound denies is counted against none.
    for (const bound of bounds) {
      const { requests } = bound.limits;
      if (!requests || !isRate(bound)) continue;
      const arrival = this.#arrivals.get(accountOf(key, bound)) ?? 0;
      const verdict = gcra(arrival, nowMs, requests.count, requests.windowMs);
      if (!verdict.isAllowed) return verdict;
      if (!tightest || verdict.remaining < tightest.remaining) tightest = verdict;
    }
    if (!tightest) return undefined;
    if (this.#arrivals.size >= this.#sweepAbove) this.#sweep(nowMs);
    for (const bound of bounds) {
      const { requests } = bound.limits;
      if (!requests || !isRate(bound)) continue;
      const account = accountOf(key, bound);
      const arrival = this.#arrivals.get(account) ?? 0;
      this.#arrivals.set(account, nextArrival(arrival, nowMs, requests.count, requests.windowMs));
    }
    return tightest;
  }

  /**
   * Takes a place of every bound on requests at the same time; null when one is full. What it returns is released once, by
   * `release`: policy may have changed until then.
   */
  takePlaces(key: string, bounds: readonly BoundLimits[]): readonly string[] | null {
    let places: string[] | undefined;
    for (const bound of bounds) {
      const { concurrency } = bound.limits;
      if (concurrency === undefined || bound.selector) continue;
      const account = accountOf(key, bound);
      if (this.running(account) >= concurrency) return null;
      (places ??= []).push(account);
    }
    if (places === undefined) return NO_PLACES;
    for (const account of places) this.#running.set(account, this.running(account) + 1);
    return places;
  }

  release(places: readonly string[]): void {
    for (const account of places) {
      const running = this.running(account);
      if (running <= 1) this.#running.delete(account);
      else this.#running.set(account, running - 1);
    }
  }

  running(account: string): number {
    return this.#running.get(account) ?? 0;
  }

  #sweep(nowMs: number): void {
    for (const [account, arrivalMs] of this.#arrivals) if (arrivalMs <= nowMs) this.#arrivals.delete(account);
    this.#sweepAbove = Math.max(SWEEP_ABOVE, this.#arrivals.size * 2);
  }
}

const NO_PLACES: readonly string[] = [];

function isRate({ limits, selector }: BoundLimits): boolean {
  return !selector && limits.requests!.windowMs <= RATE_WINDOW_MAX_MS;
}

function accountOf(key: string, { account, origin }: BoundLimits): string {
  return account ?? `${key} ${origin}`;
}
