import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { consistencyRanges, inclusionRanges, isConsistent, rootOfInclusion } from "./merkle-proof.ts";
import { formatTreeState, MerkleTree, parseTreeState } from "./merkle-tree.ts";
import { RangeHashes } from "./range-hashes.ts";
import { TileBuilder } from "./tile-builder.ts";
import { formatBundle, parseBundle, tilePath, tilesOf } from "./tiles.ts";
import { EMPTY_ROOT, hexOfBytes, treeHashOf } from "./tree-hash.ts";

const hash = treeHashOf((bytes) => createHash("sha256").update(bytes).digest("hex"));

/** The leaves and roots of Certificate Transparency's reference implementation, by size. */
const REFERENCE_LEAVES = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
];
const REFERENCE_ROOTS = [
  EMPTY_ROOT,
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

const leafAt = (i: number): string => hash.leaf(`entry ${i}`);

function treeOf(size: number): MerkleTree {
  const tree = new MerkleTree(hash);
  for (let i = 0; i < size; i++) tree.append(leafAt(i));
  return tree;
}

/** RFC 6962, section 2.1, word by word. */
function definedRoot(start: number, end: number): string {
  if (end - start === 0) return EMPTY_ROOT;
  if (end - start === 1) return leafAt(start);
  let split = 1;
  while (split * 2 < end - start) split *= 2;
  return hash.node(definedRoot(start, start + split), definedRoot(start + split, end));
}

const SIZE = fc.integer({ min: 1, max: 300 });

describe("a tree", () => {
  it("has the roots of the reference implementation", () => {
    const tree = new MerkleTree(hash);
    expect(tree.root()).toBe(REFERENCE_ROOTS[0]);
    REFERENCE_LEAVES.forEach((leaf, i) => {
      tree.append(hash.leaf(Buffer.from(leaf, "hex").toString("latin1")));
      expect(tree.root()).toBe(REFERENCE_ROOTS[i + 1]);
    });
  });

  it("has the root that is defined, and goes on from what was kept of it", () => {
    fc.assert(
      fc.property(SIZE, fc.nat(300), (size, cut) => {
        const kept = parseTreeState(formatTreeState(treeOf(Math.min(cut, size)).state))!;
        const tree = new MerkleTree(hash, kept);
        for (let i = kept.size; i < size; i++) tree.append(leafAt(i));
        expect(tree.root()).toBe(definedRoot(0, size));
      }),
      { numRuns: 60 },
    );
  });

  it.each(["", "1:", "2:a", "01:", "3:" + "a".repeat(64), "-1:", "1:" + "A".repeat(64)])(
    "is not read from %j",
    (text) => {
      expect(parseTreeState(text)).toBeUndefined();
    },
  );
});

/** The hashes of ranges, also where the log's beginning is known by its peaks alone. */
function hashesOf(ranges: ReturnType<typeof inclusionRanges>, size: number, base: number): readonly string[] {
  const sums = new RangeHashes(hash, ranges, treeOf(base).state);
  for (let i = base; i < size; i++) sums.append(leafAt(i));
  return sums.hashes!;
}

describe("a proof", () => {
  it("of inclusion leads to the root, from any base, and nothing else does", () => {
    fc.assert(
      fc.property(SIZE, fc.nat(), fc.nat(), fc.nat(), (size, at, from, wrong) => {
        const index = at % size;
        const base = from % (index + 1);
        const path = hashesOf(inclusionRanges(index, size), size, base);
        const root = treeOf(size).root();
        expect(rootOfInclusion(hash, leafAt(index), { index, size, path })).toBe(root);
        expect(rootOfInclusion(hash, leafAt(index + 1), { index, size, path })).not.toBe(root);
        expect(rootOfInclusion(hash, leafAt(index), { index, size, path: [...path, root] })).toBeUndefined();
        if (size > 1) {
          const other = (index + 1 + (wrong % (size - 1))) % size;
          expect(rootOfInclusion(hash, leafAt(index), { index: other, size, path })).not.toBe(root);
          const changed = path.with(wrong % path.length, leafAt(9_999));
          expect(rootOfInclusion(hash, leafAt(index), { index, size, path: changed })).not.toBe(root);
        }
        expect(rootOfInclusion(hash, leafAt(index), { index: size, size, path })).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });

  it("of consistency holds for every two sizes of one tree, and for no other tree", () => {
    for (let to = 1; to <= 40; to++) {
      const newer = treeOf(to).root();
      for (let from = 1; from <= to; from++) {
        const older = treeOf(from).root();
        const path = hashesOf(consistencyRanges(from, to), to, 0);
        expect(isConsistent(hash, older, newer, { from, to, path })).toBe(true);
        expect(isConsistent(hash, leafAt(9_999), newer, { from, to, path })).toBe(false);
        expect(isConsistent(hash, older, leafAt(9_999), { from, to, path })).toBe(false);
        for (let i = 0; i < path.length; i++)
          expect(isConsistent(hash, older, newer, { from, to, path: path.with(i, leafAt(9_999)) })).toBe(false);
        expect(isConsistent(hash, older, newer, { from, to, path: [...path, older] })).toBe(false);
      }
    }
    expect(isConsistent(hash, EMPTY_ROOT, treeOf(5).root(), { from: 0, to: 5, path: [] })).toBe(true);
    expect(isConsistent(hash, EMPTY_ROOT, treeOf(5).root(), { from: 0, to: 5, path: [EMPTY_ROOT] })).toBe(false);
    expect(isConsistent(hash, treeOf(5).root(), treeOf(4).root(), { from: 5, to: 4, path: [] })).toBe(false);
  });
});

describe("tiles", () => {
  it.each([
    [0, "tile/0/000"],
    [999, "tile/0/999"],
    [1_000, "tile/0/x001/000"],
    [1_234_067, "tile/0/x001/x234/067"],
  ])("tile %i lies at %s", (n, path) => {
    expect(tilePath(0, n, 256)).toBe(path);
  });

  it("a tree of 70,000 has the tiles the specification counts", () => {
    const tiles = [...tilesOf(70_000)].filter(({ level }) => level !== "entries");
    const count = (level: number, isFull: boolean) =>
      tiles.filter((tile) => tile.level === level && (tile.width === 256) === isFull).map(({ width }) => width);
    expect(count(0, true)).toHaveLength(273);
    expect([count(0, false), count(1, false), count(2, false)]).toEqual([[112], [17], [1]]);
    expect(count(1, true)).toHaveLength(1);
  });

  it("hold the hashes that are defined", () => {
    const size = 256 * 3 + 20;
    const builder = new TileBuilder(hash);
    const tiles = Array.from({ length: size }, (_, i) => builder.append(leafAt(i))).flat();
    tiles.push(...builder.partial());
    expect(tiles.map(({ level, n, width }) => tilePath(level, n, width)).toSorted()).toEqual(
      [...tilesOf(size)]
        .filter(({ level }) => level !== "entries")
        .map(({ level, n, width }) => tilePath(level, n, width))
        .toSorted(),
    );
    const above = tiles.find(({ level }) => level === 1)!;
    expect(hexOfBytes(above.bytes.slice(32, 64))).toBe(definedRoot(256, 512));
    const last = tiles.find(({ level, n }) => level === 0 && n === 3)!;
    expect(hexOfBytes(last.bytes.slice(0, 32))).toBe(leafAt(768));
  });

  it("bundles come back as they were, and nothing that is cut off does", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 20 }), fc.nat(), (entries, cut) => {
        const bundle = formatBundle(entries);
        expect(parseBundle(bundle)!.map(hexOfBytes)).toEqual(entries.map(hexOfBytes));
        const shorter = parseBundle(bundle.slice(0, cut % (bundle.length + 1)));
        if (shorter) expect(shorter.length).toBeLessThanOrEqual(entries.length);
      }),
    );
    expect(parseBundle(Uint8Array.of(0, 5, 1))).toBeUndefined();
    expect(() => formatBundle([new Uint8Array(65_536)])).toThrow(RangeError);
  });
});
