/**
 * The slow view, against a thief who makes a little more usual every day: eight weeks of daily totals, of which nothing
 * is learned, and the trend within them. Days are compared with the same weekday of other weeks only, and the trend is
 * the median of all such slopes (Sen 1968; by season, Hirsch, Slack and Smith 1982), so a flood, a holiday or a
 * month-end moves it little. Its confidence follows from how far days scatter around it and how much one day depends on
 * the day before.
 */
import { ROW, SLOW_DAYS, SLOW_METRICS } from "./row.ts";
import type { Row } from "./row.ts";

const WEEK = 7;
/** Days between the first and the last day before anything is said, days with events, and slopes between them. */
const SPAN_DAYS = 41;
const LEAST_DAYS = 14;
const LEAST_SLOPES = 15;
/** A day, of the logarithm: what is always allowed (0.6 in a hundred), and what work grows by anyhow, and its deviation. */
const LEAST_SLOPE = 0.006;
const USUAL_SLOPE = 0.004;
const SLOPE_SD = 0.002;
/** A level wanders by itself: squared deviation of a day's step, added up over days that depend on one another. */
const WANDER = 0.2;
/** Deviations of a day from the trend that are believed. */
const CLIP = 3;
/** Tokens scatter more than requests, and follow them. */
const TRUST = [1, 0.8] as const;
/** A day's total is kept as so many parts of a natural logarithm, in 16 bits: both metrics in one word. */
const PARTS = 2_048;

export interface Ramp {
  /** Standard score of the slope beyond the usual. */
  readonly score: number;
  /** Logarithm, over all days that are known. */
  readonly rise: number;
  readonly metric: number;
}

/** Closes the day (number since the epoch) that had events; those after it up to `today` had none. */
export function closeDay({ block, at }: Row, day: number, today: number): Ramp | undefined {
  const { floats, words } = block;
  let kept = 0;
  for (let metric = 0; metric < SLOW_METRICS; metric++) {
    kept += Math.min(65_535, Math.round(PARTS * Math.log1p(floats[at + ROW.dayTotals + metric]!))) * 65_536 ** metric;
    floats[at + ROW.dayTotals + metric] = 0;
  }
  words[at + ROW.slowRing + (day % SLOW_DAYS)] = kept;
  let worst: Ramp | undefined;
  for (let metric = 0; metric < SLOW_METRICS; metric++) {
    const ramp = trend(words, at + ROW.slowRing, metric, day);
    if (ramp && (!worst || ramp.score > worst.score)) worst = ramp;
  }
  for (let empty = day + 1; empty < Math.min(today, day + 1 + SLOW_DAYS); empty++)
    words[at + ROW.slowRing + (empty % SLOW_DAYS)] = 0;
  // The oldest makes room for today.
  words[at + ROW.slowRing + (today % SLOW_DAYS)] = 0;
  return worst;
}

/** Reviewed: what came until now is no trend; days are compared from here on. */
export function adoptLevel({ block, at }: Row): void {
  block.words.fill(0, at + ROW.slowRing, at + ROW.slowRing + SLOW_DAYS);
}

/** Days and values of the ring, oldest first; slopes; residuals. Filled again for every key. */
const days = new Float64Array(SLOW_DAYS);
const values = new Float64Array(SLOW_DAYS);
const rests = new Float64Array(SLOW_DAYS);
const sorted = new Float64Array(SLOW_DAYS);
const slopes = new Float64Array((SLOW_DAYS * SLOW_DAYS) / (2 * WEEK));

function trend(words: Uint32Array, ring: number, metric: number, last: number): Ramp | undefined {
  let count = 0;
  for (let day = last - SLOW_DAYS + 1; day <= last; day++) {
    const word = words[ring + (((day % SLOW_DAYS) + SLOW_DAYS) % SLOW_DAYS)]!;
    const part = metric === 0 ? word & 65_535 : word >>> 16;
    if (part === 0) continue;
    days[count] = day;
    values[count++] = part / PARTS;
  }
  const span = count === 0 ? 0 : last - days[0]! + 1;
  if (span < SPAN_DAYS || count < LEAST_DAYS) return undefined;
  const slope = seasonalSlope(count);
  if (slope < LEAST_SLOPE) return undefined;
  const score = (TRUST[metric]! * (slope - USUAL_SLOPE)) / slopeDeviation(count, slope);
  return { score, rise: slope * span, metric };
}

function seasonalSlope(count: number): number {
  let pairs = 0;
  for (let one = 0; one < count; one++)
    for (let other = one + 1; other < count; other++) {
      const apart = days[other]! - days[one]!;
      if (apart % WEEK === 0) slopes[pairs++] = (values[other]! - values[one]!) / apart;
    }
  return pairs < LEAST_SLOPES ? 0 : middle(slopes.subarray(0, pairs).sort());
}

function slopeDeviation(count: number, slope: number): number {
  for (let n = 0; n < count; n++) rests[n] = values[n]! - slope * (days[n]! - days[0]!);
  leaveOut(count, medianOf(count));
  takeWeekdays(count);
  const centre = medianOf(count);
  for (let n = 0; n < count; n++) sorted[n] = Math.abs(rests[n]! - centre);
  // The median of distances, as a deviation of the normal (1.4826).
  const most = CLIP * 1.4826 * middle(sorted.subarray(0, count).sort()) + 0.05;
  let squares = 0;
  let products = 0;
  let neighbours = 0;
  let ofDays = 0;
  for (let n = 0; n < count; n++) ofDays += days[n]! / count;
  let spread = 0;
  for (let n = 0; n < count; n++) {
    rests[n] = Math.max(-most, Math.min(most, rests[n]! - centre));
    squares += rests[n]! ** 2;
    spread += (days[n]! - ofDays) ** 2;
    if (n === 0 || days[n]! - days[n - 1]! > 3) continue;
    products += rests[n]! * rests[n - 1]!;
    neighbours++;
  }
  const variance = squares / (count - 3);
  // 1.2: what a trend that was fitted takes from the dependence of few days.
  const dependence = Math.min(0.8, Math.max(0, (1.2 * products) / Math.max(1, neighbours) / Math.max(1e-9, variance)));
  return Math.sqrt(((variance * (1 + dependence)) / (1 - dependence) + WANDER) / spread + SLOPE_SD ** 2);
}

/** What a weekday usually has more or less than the others, as far as it was seen. */
function takeWeekdays(count: number): void {
  for (let weekday = 0; weekday < WEEK; weekday++) {
    let sum = 0;
    let seen = 1;
    for (let n = 0; n < count; n++) {
      if (days[n]! % WEEK !== weekday) continue;
      sum += rests[n]!;
      seen++;
    }
    for (let n = 0; n < count; n++) if (days[n]! % WEEK === weekday) rests[n]! -= sum / seen;
  }
}

function leaveOut(count: number, level: number): void {
  for (let n = 0; n < count; n++) rests[n]! -= level;
}

function medianOf(count: number): number {
  sorted.set(rests.subarray(0, count));
  return middle(sorted.subarray(0, count).sort());
}

function middle(ordered: Float64Array): number {
  const half = ordered.length >> 1;
  return ordered.length % 2 === 1 ? ordered[half]! : (ordered[half - 1]! + ordered[half]!) / 2;
}
