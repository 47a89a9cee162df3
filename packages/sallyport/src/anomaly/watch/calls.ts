/**
 * The order of calls: a variable-order Markov model (orders 0 to 2, interpolated) shared by a peer group, with a small
 * table of the key's own. What counts is the mean surprise of the last few calls against what is usual for this key.
 */
import { normalTail } from "../series/tail.ts";
import { learnAt } from "./fading.ts";
import { mix } from "./hash.ts";
import { SYMBOLS } from "./peers.ts";
import type { Peers } from "./peers.ts";
import { ROW } from "./row.ts";
import type { Row } from "./row.ts";

const OWN = 64;
const OWN_MAX = 250;
const NEW_SESSION_S = 1_800;
const SHORT = 0.25;
const LONG = 1 / 500;
/** An odd order alone says no more than this: programs change their ways with every version. */
const LEAST = 1e-3;
/** Bits. */
const FLOOR = 0.8;

/** p of the last few calls being so surprising. `gapS`: since the call before. */
export function follow(row: Row, symbol: number, gapS: number, peers: Peers): number {
  const { words, floats, bytes } = row.block;
  const at = row.at;
  const isNew = gapS > NEW_SESSION_S;
  const before1 = isNew ? 0 : words[at + ROW.before]!;
  const before2 = isNew ? 0 : words[at + ROW.before + 1]!;
  const own = (at + ROW.calls) * 4 + (mix(before1 * SYMBOLS + symbol) % OWN);
  const share = Math.min(0.9, bytes[own]! / 20);
  const p = Math.max(peers.likelihood(before2, before1, symbol), share);
  const bits = Math.min(14, -Math.log2(p));
  const recent = isNew
    ? bits * SHORT + (1 - SHORT) * floats[at + ROW.surprise + 2]!
    : floats[at + ROW.surprise]! + SHORT * (bits - floats[at + ROW.surprise]!);
  floats[at + ROW.surprise] = recent;
  const sd = Math.sqrt(floats[at + ROW.surprise + 3]! * 0.3 + FLOOR * FLOOR);
  const score = (recent - floats[at + ROW.surprise + 2]!) / sd;
  const result = floats[at + ROW.surprise + 1]! > 0.02 && score > 2 ? Math.max(LEAST, normalTail(score)) : 1;
  learnAt(floats, at + ROW.surprise + 1, bits, LONG);
  peers.learnCall(before2, before1, symbol);
  if (bytes[own]! < OWN_MAX) bytes[own]!++;
  words[at + ROW.before + 1] = before1;
  words[at + ROW.before] = symbol;
  return result;
}
