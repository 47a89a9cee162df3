/**
 * The detector of one series of rates or levels: constant memory, a few microseconds a value, nothing to declare but the
 * range. Two questions are asked of each value: is it unusual after the one before it (and by its sheer size), and is the
 * smoothed value unusual at this hour of the day? The louder answer counts.
 *
 * Each question is put to several partitions of the range, and is believed as far as all but one of them agree: where the
 * borders of cells lie is chance, and a value that is new in one partition only is new by that chance.
 */
import type { ContextTable } from "./context-table.ts";
import { newContextTable, surpriseOf } from "./context-table.ts";
import type { Ewma } from "./ewma.ts";
import { alphaOfHalfLife, learnEwma, newEwma } from "./ewma.ts";
import { DAY_SLOTS, slotOf } from "./season.ts";

/** Smallest and largest value to tell apart, in the values' unit (or its logarithm); what lies outside counts as the edge. */
export interface SeriesRange {
  readonly min: number;
  readonly max: number;
}

/** A plain object, so that it is its own snapshot: JSON keeps it. */
export interface SeriesState {
  readonly range: SeriesRange;
  /** Each partition's cell of the value before; -1 at the start. */
  readonly before: number[];
  readonly steps: readonly ContextTable[];
  readonly hours: readonly ContextTable[];
  readonly rank: Rank;
  readonly smooth: Ewma;
  readonly rest: Rest;
}

export interface Reading {
  /** Nats: how unusual this value is. */
  readonly surprise: number;
  /** The same, and 0 for what belongs to an episode that was told already. */
  readonly alarm: number;
}

/** Cells of each partition. */
const PARTITIONS = [6, 8, 10, 12, 16];
/** How much a value's sheer size adds to the surprise of the step to it. */
const SIZE_WEIGHT = 0.4;
const SMOOTH_ALPHA = alphaOfHalfLife(15);

export function newSeries(range: SeriesRange): SeriesState {
  return {
    range,
    before: PARTITIONS.map(() => -1),
    steps: PARTITIONS.map((cells) => newContextTable(cells, cells)),
    hours: PARTITIONS.map((cells) => newContextTable(cells, DAY_SLOTS)),
    rank: newRank(),
    smooth: newEwma(),
    rest: newRest(),
  };
}

/** Judges a value by all before it, and learns it. */
export function readValue(series: SeriesState, timeMs: number, value: number): Reading {
  const { min, max } = series.range;
  const share = max > min ? (value - min) / (max - min) : 0;
  learnEwma(series.smooth, share, SMOOTH_ALPHA);
  const hour = slotOf(timeMs, DAY_SLOTS);
  const step = new SecondLeast();
  const atHour = new SecondLeast();
  for (let at = 0; at < PARTITIONS.length; at++) {
    const cells = PARTITIONS[at]!;
    const cell = cellOf(share, cells);
    step.add(surpriseOf(series.steps[at]!, series.before[at]!, cell));
    atHour.add(surpriseOf(series.hours[at]!, hour, cellOf(series.smooth.mean, cells)));
    series.before[at] = cell;
  }
  const size = rankSurprise(series.rank, share);
  const surprise = Math.max(step.value + SIZE_WEIGHT * size, atHour.value);
  return { surprise, alarm: afterRest(series.rest, surprise) };
}

/** The second smallest of what was added: all but one are at least as large. */
class SecondLeast {
  #least = Infinity;
  value = Infinity;

  add(number: number): void {
    if (number < this.#least) {
      this.value = this.#least;
      this.#least = number;
    } else if (number < this.value) this.value = number;
  }
}

/** How far out a value lies among all before it: the empirical two-sided tail over equal cells of a known range. */
interface Rank {
  readonly counts: number[];
  total: number;
}

const CELLS = 64;
const TOTAL_MAX = 32_768;

export function newRank(): Rank {
  return { counts: Array.from({ length: CELLS }, () => 0), total: 0 };
}

/** -ln of the smaller tail's share, nats; counts the value. `share` is the place in the range, 0 to 1. */
export function rankSurprise(rank: Rank, share: number): number {
  const { counts } = rank;
  const cell = cellOf(share, CELLS);
  let below = 0;
  for (let at = 0; at <= cell; at++) below += counts[at]!;
  const above = rank.total - below + counts[cell]!;
  const surprise = -Math.log((Math.min(below, above) + 0.5) / (rank.total + 1));
  counts[cell]! += 1;
  rank.total++;
  if (rank.total >= TOTAL_MAX) {
    rank.total = 0;
    for (let at = 0; at < CELLS; at++) rank.total += counts[at] = Math.ceil(counts[at]! / 2);
  }
  return surprise;
}

/** Which of `cells` equal parts of 0 to 1; what lies outside belongs to the outermost. */
export function cellOf(share: number, cells: number): number {
  return Math.min(cells - 1, Math.max(0, Math.floor(share * cells)));
}

/**
 * One episode, one alarm: after a reading was passed on, the next ones are held back for a while unless they say more.
 * No threshold is needed for it, so that one may be chosen afterwards.
 */
interface Rest {
  seen: number;
  /** What was passed on last, and until which reading nothing lower is. */
  held: number;
  until: number;
}

/** The longer a series is known, the longer an episode may be: this share of what was seen, and at most so many readings. */
const SHARE = 0.03;
const READINGS_MAX = 150;

export function newRest(): Rest {
  return { seen: 0, held: 0, until: -1 };
}

/** The reading itself where it opens or tops an episode, else 0. */
export function afterRest(rest: Rest, reading: number): number {
  const at = rest.seen++;
  if (at > rest.until) rest.held = 0;
  if (reading <= rest.held) return 0;
  rest.held = reading;
  rest.until = at + Math.min(SHARE * at, READINGS_MAX);
  return reading;
}
