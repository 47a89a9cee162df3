/** Different things refused within a quarter of an hour: a program that is set up wrongly asks for the same one again and again. */
import { ROW, RECENT } from "./row.ts";
import type { Row } from "./row.ts";

const WITHIN_S = 900;

/** Notes what was refused; how many different things lately. */
export function deny({ block, at }: Row, what: number, nowS: number): number {
  const { words } = block;
  let count = 1;
  let place = -1;
  for (let slot = at + ROW.denied; slot < at + ROW.denied + 2 * RECENT; slot += 2) {
    if (words[slot] === what) place = slot;
    else if (words[slot] !== 0 && nowS - words[slot + 1]! < WITHIN_S) count++;
  }
  if (place < 0) {
    const next = words[at + ROW.deniedNext]! % RECENT;
    words[at + ROW.deniedNext] = next + 1;
    place = at + ROW.denied + 2 * next;
  }
  words[place] = what;
  words[place + 1] = nowS;
  return count;
}
