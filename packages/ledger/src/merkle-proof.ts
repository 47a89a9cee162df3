/**
 * Proofs of a Merkle tree (RFC 9162, sections 2.1.3 and 2.1.4): that a leaf is in a tree, and that one tree is the
 * beginning of another. Making one asks for the hashes of ranges of leaves; checking one needs the proof alone.
 */
import { EMPTY_ROOT, isTreeHash } from "./tree-hash.ts";
import type { TreeHash } from "./tree-hash.ts";

/** Leaves from `start` up to but without `end`. */
export interface LeafRange {
  readonly start: number;
  readonly end: number;
}

/** The largest power of two below `size`, which is at least 2. */
function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

/** The ranges whose hashes prove leaf `index` in a tree of `size`, from the leaf's sibling up to the root's child. */
export function inclusionRanges(index: number, size: number): readonly LeafRange[] {
  const ranges: LeafRange[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + splitOf(end - start);
    if (index < middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  return ranges.toReversed();
}

/** The ranges whose hashes prove that the tree of `from` leaves is the beginning of the tree of `to`; 0 < from <= to. */
export function consistencyRanges(from: number, to: number): readonly LeafRange[] {
  const ranges: LeafRange[] = [];
  let [start, end] = [0, to];
  // RFC 9162, 2.1.4.1: whether what is left of the older tree is one whole subtree that its owner has the root of.
  let isKnown = true;
  while (from !== end) {
    const middle = start + splitOf(end - start);
    if (from <= middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
      isKnown = false;
    }
  }
  if (!isKnown) ranges.push({ start, end });
  return ranges.toReversed();
}

export interface InclusionProof {
  readonly index: number;
  readonly size: number;
  readonly path: readonly string[];
}

/** The root that the proof leads to from the leaf; undefined where the proof has not the form its numbers demand. */
export function rootOfInclusion(
  hash: TreeHash,
  leaf: string,
  { index, size, path }: InclusionProof,
): string | undefined {
  if (!isCount(index) || !isCount(size) || index >= size || !path.every(isTreeHash)) return undefined;
  const ranges = inclusionRanges(index, size);
  if (ranges.length !== path.length) return undefined;
  return path.reduce(
    (held, sibling, i) => (ranges[i]!.start > index ? hash.node(held, sibling) : hash.node(sibling, held)),
    leaf,
  );
}

export interface ConsistencyProof {
  readonly from: number;
  readonly to: number;
  readonly path: readonly string[];
}

/** Whether the tree with root `older` is the beginning of the one with root `newer`. */
export function isConsistent(
  hash: TreeHash,
  older: string,
  newer: string,
  { from, to, path }: ConsistencyProof,
): boolean {
  if (!isCount(from) || !isCount(to) || from > to || !path.every(isTreeHash)) return false;
  // Every tree begins with the empty one.
  if (from === 0) return path.length === 0 && older === EMPTY_ROOT;
  const ranges = consistencyRanges(from, to);
  if (ranges.length !== path.length) return false;
  if (from === to) return older === newer;
  // Where the older tree is one subtree of the newer one, its root is the first hash, and is not sent.
  const isWhole = ranges[0]!.start === from;
  const first = isWhole ? older : path[0]!;
  let [old, all] = [first, first];
  for (let i = isWhole ? 0 : 1; i < path.length; i++) {
    const sibling = path[i]!;
    if (ranges[i]!.start >= from) all = hash.node(all, sibling);
    else {
      old = hash.node(sibling, old);
      all = hash.node(sibling, all);
    }
  }
  return old === older && all === newer;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
