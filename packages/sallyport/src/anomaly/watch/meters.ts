/**
 * How much: requests, tokens in and out, denials, in windows of five minutes and of an hour, on a logarithmic scale.
 * The hour's level has a weekly season. A running window is compared only when it passes the limit set at its start, so
 * most events cost one addition and one comparison per number.
 */
import { cusumTail } from "../series/cusum.ts";
import { normalTail } from "../series/tail.ts";
import { inheritAt, learnAt } from "./fading.ts";
import type { Peers } from "./peers.ts";
import { METRICS, ROW, SCALES_S } from "./row.ts";
import type { Row } from "./row.ts";

const WORDS = 5;
const ALPHAS = [1 / 300, 1 / 120] as const;
/** Deviations from which on a window is worth a look, and beyond which nothing is learned. */
const LOOK = 2;
const CLIP = 2.5;
const HOURS = 168;
const CUSUM_SLACK = 0.75;
const LEVEL_STEP = 16;

const placeOf = (scale: number, metric: number): number => ROW.meters + (scale * METRICS.length + metric) * WORDS;

/** Closes and opens windows as time says. */
export function turnWindows(row: Row, nowS: number, peers: Peers, isLearned: boolean): void {
  const { words, floats } = row.block;
  for (let scale = 0; scale < SCALES_S.length; scale++) {
    const window = Math.floor(nowS / SCALES_S[scale]!);
    const before = words[row.at + ROW.windows + scale]!;
    if (window === before) continue;
    for (let metric = 0; metric < METRICS.length; metric++) {
      const place = row.at + placeOf(scale, metric);
      if (before !== 0 && isLearned) close(row, place, scale, metric, before, peers);
      floats[place] = 0;
      if (floats[place + 1] === 0) begin(floats, place, scale, metric, peers);
      floats[place + 4] = Math.expm1(
        expected(row, place, scale, metric, window) + LOOK * deviation(floats, place, metric),
      );
    }
    words[row.at + ROW.windows + scale] = window;
  }
}

/** A key that is new has its peers' level, loosely. */
function begin(floats: Float32Array, place: number, scale: number, metric: number, peers: Peers): void {
  const group = peers.levels[scale * METRICS.length + metric]!;
  const isKnown = group.weight > 0.02;
  inheritAt(
    floats,
    place + 1,
    isKnown ? group.mean : START[metric]!,
    isKnown ? group.variance + 0.2 : 4,
    ALPHAS[scale]!,
    3,
  );
}
/** Logarithms for behaviour that has not been observed yet: some requests, some thousand tokens, no denial. */
const START = [2, 7, 7, 0.2];

function expected(row: Row, place: number, scale: number, metric: number, window: number): number {
  const mean = row.block.floats[place + 2]!;
  if (scale === 0 || metric === 3) return mean;
  return mean + seasonOf(row, window % HOURS);
}

/** What this hour of the week usually adds, as far as it was seen. */
function seasonOf({ block, at }: Row, slot: number): number {
  const visits = block.bytes[(at + ROW.visits) * 4 + slot]!;
  const level = (block.bytes[(at + ROW.levels) * 4 + slot]! << 24) >> 24;
  return ((level / LEVEL_STEP) * visits) / (visits + 2);
}

/** Counts scatter by themselves (Poisson); the least deviation believed covers that. */
function deviation(floats: Float32Array, place: number, metric: number): number {
  const count = metric === 0 || metric === 3 ? 1 + Math.exp(Math.min(12, floats[place + 2]!)) : 3;
  return Math.sqrt(floats[place + 3]! + (metric === 3 ? 0.2 : 0.06) + 0.5 / count);
}

function close(row: Row, place: number, scale: number, metric: number, window: number, peers: Peers): void {
  const { floats, bytes } = row.block;
  const value = Math.log1p(floats[place]!);
  const mean = expected(row, place, scale, metric, window);
  const sd = deviation(floats, place, metric);
  const score = (value - mean) / sd;
  // What is far off is taken in as far as it might be chance.
  const believed = mean + Math.max(-CLIP, Math.min(CLIP, score)) * sd;
  peers.learnLevel(scale * METRICS.length + metric, value);
  if (scale === 1 && metric === 0) {
    const slot = (row.at + ROW.levels) * 4 + (window % HOURS);
    const visits = bytes[(row.at + ROW.visits) * 4 + (window % HOURS)]!;
    const level = ((bytes[slot]! << 24) >> 24) / LEVEL_STEP;
    const learned = level + (believed - floats[place + 2]! - level) / Math.min(12, visits + 1);
    bytes[slot] = Math.max(-127, Math.min(127, Math.round(learned * LEVEL_STEP)));
  }
  if (scale === 1 && (metric === 0 || metric === 2)) {
    const sum = row.at + ROW.cusum + metric / 2;
    floats[sum] = Math.max(0, floats[sum]! + Math.max(-CLIP, Math.min(CLIP, score)) - CUSUM_SLACK);
  }
  learnAt(
    floats,
    place + 1,
    scale === 0 || metric === 3 ? believed : believed - seasonOf(row, window % HOURS),
    ALPHAS[scale]!,
  );
}

/** p of the running windows after adding; 1 where nothing is worth a look. The first of `rate` is requests, of `tokens` both kinds. */
export interface Metered {
  rate: number;
  tokens: number;
  refusals: number;
}
export const metered: Metered = { rate: 1, tokens: 1, refusals: 1 };

export function meter(row: Row, requests: number, input: number, output: number, refused: number): Metered {
  metered.rate = add(row, 0, requests);
  metered.tokens = Math.min(add(row, 1, input), add(row, 2, output));
  metered.refusals = refused > 0 ? add(row, 3, refused) : 1;
  return metered;
}

function add(row: Row, metric: number, amount: number): number {
  const { floats, words } = row.block;
  let least = 1;
  for (let scale = 0; scale < SCALES_S.length; scale++) {
    const place = row.at + placeOf(scale, metric);
    const sum = (floats[place]! += amount);
    if (sum <= floats[place + 4]!) continue;
    const window = words[row.at + ROW.windows + scale]!;
    const score = (Math.log1p(sum) - expected(row, place, scale, metric, window)) / deviation(floats, place, metric);
    // The look is worth another when there is a good deal more.
    floats[place + 4] = sum * 1.2;
    least = Math.min(least, normalTail(score));
  }
  return least;
}

/** p of the shift that the last hours add up to. */
export function shift({ block, at }: Row): number {
  const sum = Math.max(block.floats[at + ROW.cusum]!, block.floats[at + ROW.cusum + 1]!);
  return cusumTail(sum, CUSUM_SLACK);
}

/** What is usual and what is, for telling. */
export function meterNow({ block, at }: Row, metric: number): { readonly observed: number; readonly usual: number } {
  const place = at + placeOf(1, metric);
  return { observed: Math.round(block.floats[place]!), usual: Math.round(Math.expm1(block.floats[place + 2]!)) };
}
