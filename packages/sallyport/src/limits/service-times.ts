/**
 * How long a request of one model will hold its slot: predicted from what its principal's requests took before, else from
 * all requests of the model. A prediction is wrong now and then; what it was wrong by is charged while the request runs
 * and when it ends, and the mean error is published.
 */

/** Until the first request of a model is over, ms. */
const USUAL_MS = 2_000;
/** Predictions aim at this quantile: a request that takes longer than predicted hurts others more than one that ends early. */
const QUANTILE = 0.7;
/** How far one observation moves an estimate, as a part of its distance. */
const NEWEST = 0.2;
const PRINCIPALS_MAX = 4_096;
/** Bounds what one observation can do: a day. */
const SERVICE_MAX_MS = 86_400_000;

export class ServiceTimes {
  #usualMs = 0;
  #meanMs = 0;
  #errorRatio = 0;
  /** By principal, the one that was heard of longest ago first. */
  readonly #byPrincipal = new Map<string, number>();

  /** Mean time a request holds its slot, ms; 0 until the first one is over. */
  get meanMs(): number {
    return this.#meanMs;
  }

  /** Mean of |predicted - actual| / actual, newest first; 0 until the first request is over. */
  get errorRatio(): number {
    return this.#errorRatio;
  }

  predictMs(principal: string): number {
    return this.#byPrincipal.get(principal) ?? (this.#usualMs || USUAL_MS);
  }

  observe(principal: string, predictedMs: number, actualMs: number): void {
    const tookMs = Math.min(Math.max(actualMs, 1), SERVICE_MAX_MS);
    const error = Math.abs(predictedMs - tookMs) / tookMs;
    const isFirst = this.#meanMs === 0;
    this.#errorRatio += (isFirst ? 1 : NEWEST) * (error - this.#errorRatio);
    this.#meanMs += (isFirst ? 1 : NEWEST) * (tookMs - this.#meanMs);
    this.#usualMs = isFirst ? tookMs : towards(this.#usualMs, tookMs);
    const held = this.#byPrincipal.get(principal);
    // Set again, so that the map stays in the order of use.
    this.#byPrincipal.delete(principal);
    if (this.#byPrincipal.size >= PRINCIPALS_MAX) this.#byPrincipal.delete(this.#byPrincipal.keys().next().value!);
    this.#byPrincipal.set(principal, held === undefined ? tookMs : towards(held, tookMs));
  }
}

/** Moves up by more than down, so that the estimate settles where the quantile is. */
function towards(estimateMs: number, tookMs: number): number {
  const share = tookMs > estimateMs ? QUANTILE : 1 - QUANTILE;
  return estimateMs + NEWEST * 2 * share * (tookMs - estimateMs);
}
