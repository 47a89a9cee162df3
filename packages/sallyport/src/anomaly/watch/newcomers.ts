/** What came lately: how new it was stays with what is done from there, and who stays longer than newcomers do stands out. */
import { normalTail } from "../series/tail.ts";
import { inheritAt, learnAt } from "./fading.ts";
import { ROW } from "./row.ts";
import type { Row } from "./row.ts";

const DAY_S = 86_400;

/** How new something is stays with it for a day: what else is done from there belongs to it. */
export function lingering({ block, at }: Row, place: number, hash: number, p: number, nowS: number): number {
  const { words, floats } = block;
  const newest = at + place;
  const since = newest + 1;
  const likelihood = newest + 2;
  if (p < 1) {
    words[newest] = hash;
    words[since] = nowS;
    floats[likelihood] = p;
  } else if (words[newest] === hash && nowS - words[since]! < DAY_S) return floats[likelihood]!;
  return p;
}

/** A stand-in for the provider, whom an address alone does not name: the first two numbers. */
export function blockOf(address: string): string {
  const separator = address.includes(".") ? "." : ":";
  return address.slice(0, address.indexOf(separator, address.indexOf(separator) + 1));
}

const NEWCOMERS_ALPHA = 0.08;

/** The probability of so many requests from such a new place: a phone sends two, a thief stays. */
export function newcomers({ block, at }: Row, network: number, isNew: boolean): number {
  const { words, floats } = block;
  const place = at + ROW.newcomers;
  if (isNew) {
    if (floats[place + 1] === 0) inheritAt(floats, place + 1, 2, 1, NEWCOMERS_ALPHA, 4);
    else learnAt(floats, place + 1, Math.min(Math.log(floats[place]!), floats[place + 2]! + 2), NEWCOMERS_ALPHA);
    floats[place] = 0;
    floats[at + ROW.elsewhere] = 0;
  }
  if (words[at + ROW.newNetwork] !== network || floats[place + 1] === 0) {
    floats[at + ROW.elsewhere]! += 1;
    return 1;
  }
  const count = (floats[place]! += 1);
  // A client that moved is no longer at the old place.
  if (floats[at + ROW.elsewhere]! < 2) return 1;
  // Looked at when it has grown by a quarter.
  if (count < 4 || Math.floor(4 * Math.log2(count)) === Math.floor(4 * Math.log2(count - 1))) return 1;
  return Math.min(1, 2 * normalTail((Math.log(count) - floats[place + 2]!) / Math.sqrt(floats[place + 3]! + 0.3)));
}
