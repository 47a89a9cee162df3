/** Time as a port: everything that asks for it can be tested with a clock that jumps. */
export interface Clock {
  /** Epoch milliseconds, as the world counts. May jump. */
  now(): number;
  /** Monotonic milliseconds since some start. Never goes back. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
