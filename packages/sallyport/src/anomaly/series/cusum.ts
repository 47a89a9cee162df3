/**
 * CUSUM (Page 1954), both directions: sums what is left of every standard score after `slack` is taken off, and never goes
 * below nothing. A small shift that lasts adds up, noise does not. Input: standard scores (mean 0, deviation 1).
 */
export interface Cusum {
  /** Deviations, >= 0. */
  up: number;
  down: number;
}

/** The mean overshoot of a Gaussian walk over a line (Siegmund 1985, 10.2). */
const OVERSHOOT = 0.5826;

export function newCusum(): Cusum {
  return { up: 0, down: 0 };
}

/** `slack` is half of the shift that is looked for, in deviations: 0.5 finds a shift of one deviation soonest. */
export function learnCusum(cusum: Cusum, score: number, slack: number): void {
  cusum.up = Math.max(0, cusum.up + score - slack);
  cusum.down = Math.max(0, cusum.down - score - slack);
}

/** The probability of a sum at least as large where nothing shifts: that of the highest point of a walk which drifts down by `slack`. */
export function cusumTail(sum: number, slack: number): number {
  return sum <= 0 ? 1 : Math.exp(-2 * slack * (sum + OVERSHOOT));
}

/** Values between two false alarms at the line `limit`, on average, one direction (Siegmund 1985, 2.57). */
export function cusumRunLength(limit: number, slack: number): number {
  const reach = 2 * slack * (limit + 2 * OVERSHOOT);
  return (Math.exp(reach) - reach - 1) / (2 * slack * slack);
}
