/**
 * Two networks at once: a key that goes from one network to another has moved, one that comes back within minutes is in two
 * places. How often that happens anyhow (a telephone beside a laptop, runners side by side) is learned by day.
 */
import { ROW } from "./row.ts";
import type { Row } from "./row.ts";

const WITHIN_S = 600;
const LAST_S = 1_800;

/** p of so many returns lately; 1 where it is no return. Also says how many in `returnsOf`. */
export function moveTo({ block, at }: Row, network: number, nowS: number): number {
  const { words, floats } = block;
  const present = words[at + ROW.present]!;
  if (present === network) return 1;
  const isReturn = words[at + ROW.previous] === network && nowS - words[at + ROW.previousAt]! < WITHIN_S;
  words[at + ROW.previous] = present;
  words[at + ROW.previousAt] = nowS;
  words[at + ROW.present] = network;
  if (!isReturn) return 1;
  if (nowS - words[at + ROW.returnsAt]! > LAST_S) floats[at + ROW.returns] = 0;
  words[at + ROW.returnsAt] = nowS;
  const count = (floats[at + ROW.returns]! += 1);
  const rate = Math.min(1, (floats[at + ROW.returnDays]! + 0.3) / (floats[at + ROW.days]! + 6));
  const day = Math.floor(nowS / 86_400);
  if (words[at + ROW.returnDay] !== day) {
    words[at + ROW.returnDay] = day;
    floats[at + ROW.returnDays]! += 1;
  }
  return rate ** (1 + Math.min(1, (count - 1) / 3));
}

export function returnsOf({ block, at }: Row): number {
  return block.floats[at + ROW.returns]!;
}
