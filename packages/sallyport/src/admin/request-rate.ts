/** A rate of all callers of one route together: what comes from outside by itself must not hold up administration. */
import { Problem } from "@sallyport/protocol";
import type { Clock } from "../kernel/clock.ts";
import { gcra } from "../limits/gcra.ts";

export class RequestRate {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #count: number;
  readonly #windowMs: number;
  #arrivalMs = 0;

  constructor(clock: Pick<Clock, "monotonic">, count: number, windowMs: number) {
    this.#clock = clock;
    this.#count = count;
    this.#windowMs = windowMs;
  }

  /** Throws `rate_limited`. */
  demand(): void {
    const verdict = gcra(this.#arrivalMs, this.#clock.monotonic(), this.#count, this.#windowMs);
    if (!verdict.isAllowed) throw new Problem("rate_limited");
    this.#arrivalMs = verdict.arrivalMs;
  }
}
