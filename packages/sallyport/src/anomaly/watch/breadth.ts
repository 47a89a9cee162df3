/**
 * How many different networks, models and prompt sizes an hour: HyperLogLog (Flajolet et al. 2007) with 64 registers, exact
 * enough up to hundreds through linear counting; the hour's count against that of other hours, on a logarithmic scale.
 */
import { normalTail } from "../series/tail.ts";
import { inheritAt, learnAt } from "./fading.ts";
import { mix } from "./hash.ts";
import { BREADTHS, REGISTERS, ROW } from "./row.ts";
import type { Row } from "./row.ts";

const ALPHA = 1 / 100;
const BIAS = 0.709;
/** Least deviation believed, of logarithms. */
const FLOOR = [0.3, 0.3, 0.5];
const START = [0.75, 0.75, 2.5];

/** p of so many different ones in this hour; 1 where this one was there already. */
export function widen(row: Row, breadth: number, hash: number): number {
  const { bytes, floats } = row.block;
  const mixed = mix(hash + breadth);
  const register = (row.at + ROW.registers) * 4 + breadth * REGISTERS + (mixed & (REGISTERS - 1));
  const rank = Math.clz32(mixed >>> 6) - 5;
  if (bytes[register]! >= rank) return 1;
  bytes[register] = rank;
  const place = row.at + ROW.breadths + 3 * breadth;
  const value = Math.log1p(countOf(row, breadth));
  const sd = Math.sqrt(floats[place + 2]! + FLOOR[breadth]! ** 2);
  const score = (value - floats[place + 1]!) / sd;
  return floats[place] === 0 || score < 2 ? 1 : normalTail(score);
}

export function countOf({ block, at }: Row, breadth: number): number {
  const from = (at + ROW.registers) * 4 + breadth * REGISTERS;
  let empty = 0;
  let sum = 0;
  for (let register = from; register < from + REGISTERS; register++) {
    const rank = block.bytes[register]!;
    if (rank === 0) empty++;
    sum += 2 ** -rank;
  }
  if (empty > 0) return Math.round(REGISTERS * Math.log(REGISTERS / empty));
  return Math.round((BIAS * REGISTERS * REGISTERS) / sum);
}

/** Ends the hour: learns its breadths and resets the counters. */
export function turnBreadths(row: Row, isLearned: boolean): void {
  const { bytes, floats } = row.block;
  for (let breadth = 0; breadth < BREADTHS.length; breadth++) {
    const place = row.at + ROW.breadths + 3 * breadth;
    if (floats[place] === 0) inheritAt(floats, place, START[breadth]!, 0.1, ALPHA, 3);
    const count = countOf(row, breadth);
    if (isLearned && count > 0) {
      const most = floats[place + 1]! + 2.5 * Math.sqrt(floats[place + 2]! + FLOOR[breadth]! ** 2);
      learnAt(floats, place, Math.min(most, Math.log1p(count)), ALPHA);
    }
  }
  const from = (row.at + ROW.registers) * 4;
  bytes.fill(0, from, from + BREADTHS.length * REGISTERS);
}
