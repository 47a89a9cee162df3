/**
 * A growing Merkle tree, as much of it as is needed to grow on: the roots of its complete subtrees, largest first, one
 * for each bit that is set in its size. A billion leaves are thirty hashes.
 */
import { EMPTY_ROOT, isTreeHash } from "./tree-hash.ts";
import type { TreeHash } from "./tree-hash.ts";

/** A place in a tree's growth. `peaks` are the roots of its complete subtrees, largest first. */
export interface TreeState {
  readonly size: number;
  readonly peaks: readonly string[];
}

export const emptyTree: TreeState = { size: 0, peaks: [] };

export class MerkleTree {
  readonly #hash: TreeHash;
  #size: number;
  #peaks: string[];

  constructor(hash: TreeHash, state: TreeState = emptyTree) {
    this.#hash = hash;
    this.#size = state.size;
    this.#peaks = [...state.peaks];
  }

  get size(): number {
    return this.#size;
  }

  get state(): TreeState {
    return { size: this.#size, peaks: [...this.#peaks] };
  }

  /** Takes the hash of the next leaf. */
  append(leaf: string): void {
    let hash = leaf;
    // As many subtrees are complete now as the size had ones at its end.
    for (let size = this.#size; size % 2 === 1; size = (size - 1) / 2) hash = this.#hash.node(this.#peaks.pop()!, hash);
    this.#peaks.push(hash);
    this.#size++;
  }

  /** RFC 6962, section 2.1: what a checkpoint of this size names. */
  root(): string {
    return rootOf(this.#hash, this.#peaks);
  }
}

/** The root over complete subtrees, largest first. */
export function rootOf(hash: TreeHash, peaks: readonly string[]): string {
  if (peaks.length === 0) return EMPTY_ROOT;
  return peaks.reduceRight((right, left) => hash.node(left, right));
}

/** Reads `size:peak,peak…` strictly; undefined where the number of peaks is not the one its size demands. */
export function parseTreeState(text: string): TreeState | undefined {
  const [size = "", list = "", ...more] = text.split(":");
  const peaks = list === "" ? [] : list.split(",");
  if (more.length > 0 || !/^(?:0|[1-9]\d{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) return undefined;
  if (!peaks.every(isTreeHash) || peaks.length !== onesOf(Number(size))) return undefined;
  return { size: Number(size), peaks };
}

export function formatTreeState({ size, peaks }: TreeState): string {
  return `${size}:${peaks.join(",")}`;
}

function onesOf(size: number): number {
  let ones = 0;
  for (let left = size; left > 0; left = Math.floor(left / 2)) ones += left % 2;
  return ones;
}
