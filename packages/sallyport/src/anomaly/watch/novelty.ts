/**
 * What a key never did before: another network, program, model, call. Small exact sets with fading uses. How surprising
 * something new is depends on how often this key brings something new, and, while little is known, on how often keys of
 * its peer group do; what others of the group use already surprises less.
 */
import { DIMENSIONS, ROW, SLOTS } from "./row.ts";
import type { Dimension, Row } from "./row.ts";

const DAY_S = 86_400;
/** Uses and novelties count half after so many days. */
const HALF_LIFE_DAYS = 30;
/** Days a peer group's experience is worth. */
const PRIOR_DAYS = 6;

const OFFSET = Object.fromEntries(
  DIMENSIONS.map((name, at) => [
    name,
    ROW.sets + 3 * DIMENSIONS.slice(0, at).reduce((sum, one) => sum + SLOTS[one], 0),
  ]),
) as Readonly<Record<Dimension, number>>;

/** True where it is known; either way it is known afterwards, unless it is only looked at. */
export function meets({ block, at }: Row, dimension: Dimension, hash: number, nowS: number): boolean {
  const { words, floats } = block;
  const from = at + OFFSET[dimension];
  const to = from + 3 * SLOTS[dimension];
  for (let slot = from; slot < to; slot += 3) {
    if (words[slot] !== hash) continue;
    words[slot + 1] = nowS;
    floats[slot + 2]! += 1;
    return true;
  }
  learn(block, from, to, hash, nowS);
  return false;
}

export function knows({ block, at }: Row, dimension: Dimension, hash: number): boolean {
  const from = at + OFFSET[dimension];
  for (let slot = from; slot < from + 3 * SLOTS[dimension]; slot += 3) if (block.words[slot] === hash) return true;
  return false;
}

/** The least used and longest unused makes room. */
function learn({ words, floats }: Row["block"], from: number, to: number, hash: number, nowS: number): void {
  let least = from;
  let leastWorth = Infinity;
  for (let slot = from; slot < to; slot += 3) {
    const worth =
      words[slot] === 0 ? -1 : floats[slot + 2]! * 2 ** (-(nowS - words[slot + 1]!) / (HALF_LIFE_DAYS * DAY_S));
    if (worth < leastWorth) [least, leastWorth] = [slot, worth];
  }
  words[least] = hash;
  words[least + 1] = nowS;
  floats[least + 2] = 1;
}

/** The most used first. */
export function usual(
  { block, at }: Row,
  dimension: Dimension,
  nowS: number,
): { readonly hash: number; readonly worth: number }[] {
  const found: { readonly hash: number; readonly worth: number }[] = [];
  const from = at + OFFSET[dimension];
  for (let slot = from; slot < from + 3 * SLOTS[dimension]; slot += 3) {
    const hash = block.words[slot]!;
    if (hash === 0) continue;
    found.push({
      hash,
      worth: block.floats[slot + 2]! * 2 ** (-(nowS - block.words[slot + 1]!) / (HALF_LIFE_DAYS * DAY_S)),
    });
  }
  return found.toSorted((a, b) => b.worth - a.worth);
}

/** The share of days with something new, as the peers' experience and this key's own say. */
export function noveltyRate({ block, at }: Row, dimension: Dimension, peersRate: number): number {
  const { floats } = block;
  const index = DIMENSIONS.indexOf(dimension);
  return Math.min(
    1,
    (floats[at + ROW.novelties + index]! + peersRate * PRIOR_DAYS) / (floats[at + ROW.days]! + PRIOR_DAYS),
  );
}

export function countNovelty({ block, at }: Row, dimension: Dimension): void {
  block.floats[at + ROW.novelties + DIMENSIONS.indexOf(dimension)]! += 1;
}

/** Once for each day with events. */
export function countDay({ block, at }: Row, daysPassed: number): void {
  const keep = 2 ** (-daysPassed / HALF_LIFE_DAYS);
  const { floats } = block;
  floats[at + ROW.days] = floats[at + ROW.days]! * keep + 1;
  for (let index = 0; index < DIMENSIONS.length; index++) floats[at + ROW.novelties + index]! *= keep;
}
