/**
 * Whether the wall clock can be believed for work that cannot be undone: revoking what has expired, erasing what is too old.
 * It is compared with two others: the monotonic clock since the start, and the time of the newest record before it. Where they
 * disagree, such work waits until the wall clock has gone evenly for a while: a clock that is wrong for a moment ends nothing.
 */
import type { Clock } from "./clock.ts";

/** What a clock may be set by without a doubt: corrections over the network are smaller. */
const SET_MAX_MS = 5 * 60_000;
/** A gateway that was off for longer may as well have a wrong clock. */
const GAP_MAX_MS = 86_400_000;
export const CLOCK_PATIENCE_MS = 60 * 60_000;

export class ClockAgreement {
  readonly #clock: Clock;
  readonly #patienceMs: number;
  /** Wall and monotonic time at which the two were last set against each other. */
  #wallMs: number;
  #monotonicMs: number;
  /** Monotonic time until which the wall clock is doubted. */
  #doubtedUntilMs: number;

  /** `lastRecordAt`: epoch ms of the newest earlier record; null without one. */
  constructor(clock: Clock, lastRecordAt: number | null, patienceMs = CLOCK_PATIENCE_MS) {
    this.#clock = clock;
    this.#patienceMs = patienceMs;
    this.#wallMs = clock.now();
    this.#monotonicMs = clock.monotonic();
    const gapMs = lastRecordAt === null ? 0 : this.#wallMs - lastRecordAt;
    const isDoubtful = gapMs > GAP_MAX_MS || gapMs < -SET_MAX_MS;
    this.#doubtedUntilMs = isDoubtful ? this.#monotonicMs + patienceMs : Number.NEGATIVE_INFINITY;
  }

  /** False while the clocks disagree, and for a while after. */
  isReached(): boolean {
    const monotonicMs = this.#clock.monotonic();
    const setByMs = this.#clock.now() - this.#wallMs - (monotonicMs - this.#monotonicMs);
    if (Math.abs(setByMs) > SET_MAX_MS) {
      this.#wallMs = this.#clock.now();
      this.#monotonicMs = monotonicMs;
      this.#doubtedUntilMs = monotonicMs + this.#patienceMs;
    }
    return monotonicMs >= this.#doubtedUntilMs;
  }
}
