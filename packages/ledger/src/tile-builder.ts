/** The hash tiles of a growing log (C2SP tlog-tiles), one after another as they are full, in constant memory. */
import { MerkleTree } from "./merkle-tree.ts";
import { TILE_WIDTH } from "./tiles.ts";
import type { TilePlace } from "./tiles.ts";
import { putHex } from "./tree-hash.ts";
import type { TreeHash } from "./tree-hash.ts";

export interface HashTile extends TilePlace {
  readonly level: number;
  readonly bytes: Uint8Array;
}

export class TileBuilder {
  readonly #hash: TreeHash;
  /** By level: the hashes of the tile that is being filled, and how many the level had before it. */
  readonly #levels: { before: number; isWhole: boolean; hashes: string[] }[] = [];
  readonly #base: number;

  /** `base`: leaves that retention has removed; tiles that need their hashes are not made. */
  constructor(hash: TreeHash, base = 0) {
    this.#hash = hash;
    this.#base = base;
  }

  /** Tiles that the next leaf fills, lowest level first. */
  append(leaf: string): readonly HashTile[] {
    const full: HashTile[] = [];
    let hash: string | undefined = leaf;
    for (let level = 0; hash !== undefined; level++) hash = this.#add(level, hash, full);
    return full;
  }

  /** The tiles at the right edge, when the last leaf is in. */
  partial(): readonly HashTile[] {
    return this.#levels.flatMap(({ before, isWhole, hashes }, level) =>
      hashes.length > 0 && isWhole ? [tileOf(level, before / TILE_WIDTH, hashes)] : [],
    );
  }

  /** Gives the hash for the level above, where a tile is full. */
  #add(level: number, hash: string, full: HashTile[]): string | undefined {
    const held = (this.#levels[level] ??= this.#begin(level));
    held.hashes.push(hash);
    const begun = held.isWhole ? 0 : this.#firstOf(level) - held.before;
    if (begun + held.hashes.length < TILE_WIDTH) return undefined;
    const { before, isWhole, hashes } = held;
    this.#levels[level] = { before: before + TILE_WIDTH, isWhole: true, hashes: [] };
    if (!isWhole) return undefined;
    full.push(tileOf(level, before / TILE_WIDTH, hashes));
    const tree = new MerkleTree(this.#hash);
    for (const one of hashes) tree.append(one);
    return tree.root();
  }

  #begin(level: number) {
    const first = this.#firstOf(level);
    return { before: first - (first % TILE_WIDTH), isWhole: first % TILE_WIDTH === 0, hashes: [] as string[] };
  }

  /** Index of the first hash of a level that can be made. */
  #firstOf(level: number): number {
    let first = this.#base;
    for (let i = 0; i < level; i++) first = Math.ceil(first / TILE_WIDTH);
    return first;
  }
}

function tileOf(level: number, n: number, hashes: readonly string[]): HashTile {
  const bytes = new Uint8Array(hashes.length * 32);
  for (let i = 0; i < hashes.length; i++) putHex(bytes, i * 32, hashes[i]!);
  return { level, n, width: hashes.length, bytes };
}
