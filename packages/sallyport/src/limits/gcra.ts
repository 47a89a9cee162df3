/**
 * GCRA, the generic cell rate algorithm (ITU-T I.371): one number per key says how far it is ahead of its rate.
 * `count` requests per `windowMs` may come as one burst; after that one every `windowMs / count`.
 */
export interface RateVerdict {
  readonly isAllowed: boolean;
  /** Theoretical arrival time to keep, monotonic ms; unchanged by a denied request. */
  readonly arrivalMs: number;
  /** Requests that would pass right now, after this one. */
  readonly remaining: number;
  /** Until one more passes; 0 while some remain. */
  readonly retryAfterMs: number;
  /** Until the whole burst is there again. */
  readonly resetMs: number;
  /** The rate that was asked. */
  readonly count: number;
  readonly windowMs: number;
}

/** The theoretical arrival time after one more request that is let through. */
export function nextArrival(arrivalMs: number, nowMs: number, count: number, windowMs: number): number {
  return Math.max(arrivalMs, nowMs) + windowMs / count;
}

export function gcra(arrivalMs: number, nowMs: number, count: number, windowMs: number): RateVerdict {
  const interval = windowMs / count;
  const next = nextArrival(arrivalMs, nowMs, count, windowMs);
  // Rounding must not turn the last of a burst away: half a microsecond of grace.
  const isAllowed = next - windowMs <= nowMs + 0.0005;
  const held = isAllowed ? next : arrivalMs;
  const room = windowMs - (held - nowMs);
  const remaining = Math.max(0, Math.floor(room / interval + 1e-9));
  return {
    isAllowed,
    arrivalMs: held,
    remaining,
    retryAfterMs: isAllowed && remaining > 0 ? 0 : Math.max(0, held + interval - windowMs - nowMs),
    resetMs: Math.max(0, held - nowMs),
    count,
    windowMs,
  };
}
