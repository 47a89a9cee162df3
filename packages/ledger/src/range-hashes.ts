/** The hashes of ranges of leaves, as proofs need them, found in one walk over a log's leaves from its first kept one. */
import type { LeafRange } from "./merkle-proof.ts";
import { emptyTree, MerkleTree } from "./merkle-tree.ts";
import type { TreeState } from "./merkle-tree.ts";
import type { TreeHash } from "./tree-hash.ts";

export class RangeHashes {
  readonly #ranges: readonly (LeafRange & { readonly tree: MerkleTree })[];
  readonly #asked: readonly LeafRange[];
  #index: number;
  #at = 0;

  /** The ranges may come in any order and do not overlap. What lies before `base` is known by its peaks. */
  constructor(hash: TreeHash, asked: readonly LeafRange[], base: TreeState = emptyTree) {
    this.#asked = asked;
    this.#index = base.size;
    this.#ranges = asked
      .map((range) => ({ ...range, tree: new MerkleTree(hash, peaksWithin(range, base)) }))
      .toSorted((a, b) => a.start - b.start);
  }

  /** The next leaf. */
  append(leaf: string): void {
    const index = this.#index++;
    while ((this.#ranges[this.#at]?.end ?? Infinity) <= index) this.#at++;
    const range = this.#ranges[this.#at];
    if (range && range.start <= index) range.tree.append(leaf);
  }

  /** In the order that was asked for; undefined where the log did not reach to the end of one. */
  get hashes(): readonly string[] | undefined {
    const found = this.#asked.map(({ start, end }) => {
      const { tree } = this.#ranges.find((range) => range.start === start)!;
      return tree.size === end - start ? tree.root() : undefined;
    });
    return found.every((hash) => hash !== undefined) ? found : undefined;
  }
}

/** Those of the base's complete subtrees that lie in the range: what of it came before. */
function peaksWithin({ start, end }: LeafRange, { size, peaks }: TreeState): TreeState {
  const within: string[] = [];
  let count = 0;
  let from = 0;
  for (const peak of peaks) {
    const width = largestPower(size - from);
    if (from >= start && from + width <= end) {
      within.push(peak);
      count += width;
    }
    from += width;
  }
  return { size: count, peaks: within };
}

function largestPower(size: number): number {
  let power = 1;
  while (power * 2 <= size) power *= 2;
  return power;
}
