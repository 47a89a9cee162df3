/** What can be unusual about a key, how likely it was, and all of it as one number. */
import { chiSquaredTail } from "../series/tail.ts";
import type { Calibration } from "./calibration.ts";
import type { Row } from "./row.ts";
import { FACTORS, ROW } from "./row.ts";

/** Each factor belongs to a group; factors of two groups are two signals. */
export const factorGroups = {
  network: "who",
  client: "who",
  networks: "who",
  together: "who",
  model: "what",
  endpoint: "what",
  models: "what",
  order: "what",
  rate: "volume",
  tokens: "volume",
  size: "volume",
  repeats: "volume",
  hours: "when",
  refusals: "refusals",
} as const;
export type Factor = keyof typeof factorGroups;
export const FACTOR_NAMES = Object.keys(factorGroups) as readonly Factor[];
const INDEX = Object.fromEntries(FACTOR_NAMES.map((name, at) => [name, at])) as Readonly<Record<Factor, number>>;
const GROUPS = FACTOR_NAMES.map((name) => factorGroups[name]);
if (FACTOR_NAMES.length !== FACTORS) throw new Error("a factor without a place in the row");

/** What was unusual an hour ago and what is unusual now belong together. */
const TOGETHER_S = 3_600;
/** p below which a factor counts as a separate signal. */
const SIGNAL = 2;

/** Notes a p-value; true where it says more than what is known of this hour. */
export function noteFactor({ block, at }: Row, factor: Factor, p: number, nowS: number): boolean {
  const place = at + ROW.factors + 2 * INDEX[factor];
  const said = -Math.log10(Math.max(1e-12, p));
  if (said < 0.7) return false;
  if (nowS - block.words[place + 1]! < TOGETHER_S) {
    if (said < block.floats[place]! - 0.01) return false;
    if (said < block.floats[place]! + 0.15) {
      block.words[place + 1] = nowS;
      return false;
    }
  }
  block.floats[place] = said;
  block.words[place + 1] = nowS;
  return true;
}

/** -log10 p of this factor now, 0 without one. */
export function factorNow({ block, at }: Row, factor: Factor, nowS: number): number {
  const place = at + ROW.factors + 2 * INDEX[factor];
  return nowS - block.words[place + 1]! < TOGETHER_S ? block.floats[place]! : 0;
}

export interface Combined {
  /** -log10 of the combined p-value. */
  readonly score: number;
  /** Groups with a separate signal. */
  readonly signals: number;
}

const pValues: number[] = Array.from({ length: FACTORS }, () => 1);

/** Brown's method: within a group p-values depend on one another, between groups little. */
export function combineFactors(row: Row, nowS: number, calibration: Calibration): Combined {
  const groups = new Set<string>();
  for (const [index, name] of FACTOR_NAMES.entries()) {
    const said = calibration.worth(index, factorNow(row, name, nowS));
    pValues[index] = 10 ** -said;
    if (said >= SIGNAL) groups.add(GROUPS[index]!);
  }
  // Many small things (Brown), or one that is large by itself (the least of so many: Bonferroni); the better of two tries.
  const together = combineBrown(pValues, correlation);
  const alone = Math.min(...pValues) * FACTORS;
  return { score: -Math.log10(Math.min(1, Math.max(1e-300, 2 * Math.min(together, alone)))), signals: groups.size };
}

const WITHIN: Readonly<Record<string, number>> = { volume: 0.7, who: 0.3, what: 0.4 };
const BETWEEN = 0.05;
const correlation = (i: number, j: number): number => (GROUPS[i] === GROUPS[j] ? (WITHIN[GROUPS[i]!] ?? 0) : BETWEEN);

/** Below this a p-value says no more than "never seen". */
const LEAST_P = 1e-300;

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
