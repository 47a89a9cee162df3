/**
 * The slow baseline, against whoever makes a little more each day usual: it learns only days that are two weeks old and
 * were clean, and moves at most half a percent a day. The last two weeks are compared with it as
 * a whole. A rise that nearly all came in one week is a step, and for the meters; one that lies between two weeks looks
 * like a ramp for some days.
 */
import { ROW, SLOW_DAYS, SLOW_METRICS } from "./row.ts";
import type { Row } from "./row.ts";

const AGE_DAYS = 14;
const WEEK = 7;
const DRIFT_A_DAY = 0.005;
/** The least rise over the frozen level that is told, as a logarithm (1.35 = a third more), and how many deviations. */
const LEAST_RISE = 0.3;
/** What a week may fall short of the one before, and what share of the rise one week may bring. */
const SLACK = 0.1;
const LEAP = 0.85;

export interface Ramp {
  /** Standard score of the rise. */
  readonly score: number;
  readonly rise: number;
  readonly metric: number;
}

/** Closes one day with events. Days without are not learned: a key that rests is no sign of less. */
export function closeDay({ block, at }: Row, isClean: boolean): Ramp | undefined {
  const { floats, words } = block;
  const days = words[at + ROW.slowCount]!;
  let worst: Ramp | undefined;
  for (let metric = 0; metric < SLOW_METRICS; metric++) {
    const ring = at + ROW.slowRing + metric * SLOW_DAYS;
    floats[ring + (days % SLOW_DAYS)] = Math.log1p(floats[at + ROW.dayTotals + metric]!);
    floats[at + ROW.dayTotals + metric] = 0;
    const ramp = days + 1 >= SLOW_DAYS ? compare(floats, at, metric, days) : undefined;
    if (ramp && (!worst || ramp.score > worst.score)) worst = ramp;
    // The first level is taken as it comes, so that there is one at all; after that it moves by clean days alone.
    const isFirst = floats[at + ROW.frozen + 3 * metric] === 0;
    if ((isClean || isFirst) && days + 1 >= AGE_DAYS) freeze(floats, at, metric, days);
  }
  words[at + ROW.slowCount] = days + 1;
  return worst;
}

/** Reviewed: what the last two weeks were is the level from now on. */
export function adoptLevel({ block, at }: Row): void {
  const days = block.words[at + ROW.slowCount]!;
  if (days < AGE_DAYS) return;
  for (let metric = 0; metric < SLOW_METRICS; metric++) {
    block.floats[at + ROW.frozen + 3 * metric] = 1;
    block.floats[at + ROW.frozen + 3 * metric + 1] = mean(block.floats, at, metric, days - AGE_DAYS, AGE_DAYS);
  }
}

function day(floats: Float32Array, at: number, metric: number, number: number): number {
  return floats[at + ROW.slowRing + metric * SLOW_DAYS + (number % SLOW_DAYS)]!;
}

/** The week that has become two weeks old moves the frozen level, a little. */
function freeze(floats: Float32Array, at: number, metric: number, days: number): void {
  const place = at + ROW.frozen + 3 * metric;
  const from = days - AGE_DAYS + 1;
  if (floats[place] === 0) floats[place + 1] = mean(floats, at, metric, from, AGE_DAYS / 2);
  else {
    const old = mean(floats, at, metric, Math.max(0, from - WEEK), WEEK);
    floats[place + 1]! += Math.max(-DRIFT_A_DAY, Math.min(DRIFT_A_DAY, old - floats[place + 1]!));
  }
  floats[place] = 1;
}

function compare(floats: Float32Array, at: number, metric: number, days: number): Ramp | undefined {
  const place = at + ROW.frozen + 3 * metric;
  if (floats[place] === 0) return undefined;
  const now = mean(floats, at, metric, days - AGE_DAYS + 1, AGE_DAYS);
  const rise = now - floats[place + 1]!;
  if (rise < LEAST_RISE) return undefined;
  // Day by day: each of the last three weeks above the one before, and none of them a leap.
  const weeks = [2, 1, 0].map((ago) => mean(floats, at, metric, days - WEEK + 1 - ago * WEEK, WEEK));
  const [first, middle, last] = weeks as [number, number, number];
  if (middle < first - SLACK || last < middle - SLACK || last - first < SLACK) return undefined;
  if (Math.max(middle - first, last - middle) > LEAP * rise) return undefined;
  let left = 0;
  for (let n = 0; n < AGE_DAYS; n++) left += (day(floats, at, metric, days - n) - now) ** 2;
  const sd = Math.sqrt(left / (AGE_DAYS - 1) + 0.005);
  return { score: rise / (sd * Math.sqrt(1 / AGE_DAYS + 1 / WEEK)), rise, metric };
}

function mean(floats: Float32Array, at: number, metric: number, from: number, count: number): number {
  let sum = 0;
  for (let n = 0; n < count; n++) sum += day(floats, at, metric, from + n);
  return sum / count;
}
