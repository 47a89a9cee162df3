/** Several p-values into one. Every p-value is that of "nothing is unusual"; small means unusual. */
import { chiSquaredTail } from "./tail.ts";

/** Below this a p-value says no more than "never seen". */
export const LEAST_P = 1e-300;

/** Fisher 1925: for p-values that do not depend on one another. */
export function combineFisher(pValues: readonly number[]): number {
  return chiSquaredTail(statistic(pValues), 2 * pValues.length);
}

/**
 * Brown 1975: for p-values that do. `correlation(i, j)` is that of the signals behind them, -1 to 1; how it becomes the
 * covariance of their logarithms is the polynomial of Kost and McDermott 2002.
 */
export function combineBrown(pValues: readonly number[], correlation: (i: number, j: number) => number): number {
  const count = pValues.length;
  let variance = 4 * count;
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      const r = correlation(i, j);
      variance += 2 * r * (3.263 + r * (0.71 + r * 0.027));
    }
  }
  const mean = 2 * count;
  const scale = variance / (2 * mean);
  return chiSquaredTail(statistic(pValues) / scale, (2 * mean * mean) / variance);
}

function statistic(pValues: readonly number[]): number {
  let sum = 0;
  for (const p of pValues) sum -= 2 * Math.log(Math.min(1, Math.max(LEAST_P, p)));
  return sum;
}
