/** An export in tiles: each environment's log in a folder, as any client of tlog-tiles reads it. */
import { LogWalk } from "./check-log.ts";
import { logOrigin, parseCheckpoint } from "./checkpoint.ts";
import type { ExportedLog } from "./export-manifest.ts";
import { isBesideGenuine, parseBeside } from "./personal.ts";
import { linesOf } from "./lines-of.ts";
import { parseRecordLine } from "./record-line.ts";
import { parseVerifierKey } from "./signed-note.ts";
import { TileBuilder } from "./tile-builder.ts";
import type { HashTile } from "./tile-builder.ts";
import { ENTRY_BYTES_MAX, parseBundle, TILE_WIDTH, tilePath } from "./tiles.ts";
import { isTreeHash } from "./tree-hash.ts";
import { textOfUtf8 } from "./utf8.ts";
import type { ExportWalk } from "./export-walk.ts";
import type { LedgerDamage } from "./damage-words.ts";

/**
 * Entries between the base of a log and the first whole bundle after it: retention has removed the bundle's beginning.
 */
export const FIRST_ENTRIES = "first-entries";
/** What stands beside the entries, one line each: `<index> <beside>`. */
export const BESIDE_FILE = "beside";

const TILE_BYTES_MAX = TILE_WIDTH * 32;
const BUNDLE_BYTES_MAX = TILE_WIDTH * (2 + ENTRY_BYTES_MAX);
const CHECKPOINT_BYTES_MAX = 1024 * 1024;

export function verifyTiles(walk: ExportWalk): LedgerDamage | undefined {
  for (const log of walk.manifest.logs) {
    const damage = verifyLog(walk, log);
    if (damage) return damage;
  }
  return undefined;
}

function verifyLog(walk: ExportWalk, log: ExportedLog): LedgerDamage | undefined {
  const { files, manifest, crypto, pins, times } = walk;
  const { environment, base } = log;
  const at = (path: string): string => `${environment}/${path}`;
  const text = textOf(walk, at("checkpoint"));
  if (text !== log.checkpoint)
    return { seq: 0, file: at("checkpoint"), reason: "the checkpoint is not the one the manifest names" };
  const checkpoint = parseCheckpoint(text);
  const firstKey = parseVerifierKey(crypto.sha256, log.firstKey);
  const tree = new LogWalk(crypto, { origin: logOrigin(manifest.node, environment), base, firstKey, checkpoint }, pins);
  const tiles = new TileBuilder(crypto.tree, base.size);
  const beside = besides(linesOf(files.read(at(BESIDE_FILE)) ?? []));
  let last = 0;
  times.begin();
  const misplaced = (tile: HashTile): string | undefined => {
    const path = at(tilePath(tile.level, tile.n, tile.width));
    const held = wholeOf(files.read(path), TILE_BYTES_MAX);
    return held && sameBytes(held, tile.bytes) ? undefined : path;
  };
  const size = checkpoint?.size ?? base.size;
  for (const { path, first, count } of bundlesOf(base.size, size)) {
    const entries = parseBundle(wholeOf(files.read(at(path)), BUNDLE_BYTES_MAX) ?? new Uint8Array(0));
    const file = at(path);
    // A checkpoint may claim any size: missing entries are not waited for.
    if (entries?.length !== count) return { seq: last + 1, file, reason: "the bundle is cut off, or another one" };
    for (const [i, entry] of entries.entries()) {
      if (entry.length === 0) {
        // Its time is over: its hash is beside it, and the tile and the root say whether that is the one.
        const leaf = beside(first + i);
        const file = at(path);
        if (!isTreeHash(leaf))
          return { seq: last + 1, file, reason: `entry ${first + i} is missing, and so is its hash` };
        const reason = tree.take(leaf);
        if (reason !== undefined) return { seq: last + 1, file, reason };
        walk.records++;
        walk.ended++;
        for (const tile of tiles.append(leaf)) {
          const wrong = misplaced(tile);
          if (wrong !== undefined) return firstDifference(walk, { environment, tile, path: wrong });
        }
        continue;
      }
      const line = textOfUtf8(entry) ?? "";
      const record = parseRecordLine(line);
      if (!record) return { seq: last + 1, file, reason: `entry ${first + i} is not a well-formed record` };
      const { seq } = record;
      if (record.environment !== environment) return { seq, file, reason: "the record is of another environment" };
      if (seq <= last) return { seq, file, reason: `the record stands after record ${last}` };
      last = seq;
      times.take(record);
      const values = parseBeside(beside(first + i));
      if (!values || !isBesideGenuine(crypto.sha256Text, record, values))
        return { seq, file: at(BESIDE_FILE), reason: "what stands beside the record is not what it was" };
      const leaf = crypto.tree.leaf(line);
      const reason = tree.take(leaf, record);
      if (reason !== undefined) return { seq, file, reason };
      walk.records++;
      // A changed record shows where its hash should be: in the first tile that is another.
      for (const tile of tiles.append(leaf)) {
        const wrong = misplaced(tile);
        if (wrong !== undefined) return firstDifference(walk, { environment, tile, path: wrong });
      }
    }
  }
  for (const tile of tiles.partial()) {
    const wrong = misplaced(tile);
    if (wrong !== undefined) return firstDifference(walk, { environment, tile, path: wrong });
  }
  const reason = tree.end(pins);
  return reason === undefined ? undefined : { seq: last, file: at("checkpoint"), reason };
}

interface Bundle {
  readonly path: string;
  /** Index of its first entry. */
  readonly first: number;
  readonly count: number;
}

/** Bundles of entries in order, with the index of each one's first entry. */
function* bundlesOf(base: number, size: number): Generator<Bundle> {
  const whole = Math.ceil(base / TILE_WIDTH) * TILE_WIDTH;
  if (base < Math.min(whole, size)) yield { path: FIRST_ENTRIES, first: base, count: Math.min(whole, size) - base };
  for (let first = whole; first < size; first += TILE_WIDTH) {
    const count = Math.min(TILE_WIDTH, size - first);
    yield { path: tilePath("entries", first / TILE_WIDTH, count), first, count };
  }
}

/** Which record a tile of leaves disagrees with; a tile of nodes is named as a file. */
function firstDifference(
  { files }: ExportWalk,
  { environment, tile, path }: { readonly environment: string; readonly tile: HashTile; readonly path: string },
): LedgerDamage {
  const held = wholeOf(files.read(path), TILE_BYTES_MAX);
  if (!held || tile.level > 0 || held.length !== tile.bytes.length)
    return { seq: 0, file: path, reason: "the tile is not the one its records lead to" };
  const at = Math.floor(tile.bytes.findIndex((byte, i) => byte !== held[i]) / 32);
  const bundle = `${environment}/${tilePath("entries", tile.n, tile.width)}`;
  const entry = parseBundle(wholeOf(files.read(bundle), BUNDLE_BYTES_MAX) ?? new Uint8Array(0))?.[at];
  const seq = parseRecordLine(textOfUtf8(entry ?? new Uint8Array(0)) ?? "")?.seq ?? 0;
  return { seq, file: bundle, reason: "the record was changed: its hash is not the one its tile names" };
}

/** What stands beside an entry, asked for in order; empty where nothing does. */
function besides(lines: Generator<string | undefined>): (index: number) => string {
  let held: { readonly index: number; readonly text: string } | undefined;
  return function beside(index) {
    while (held === undefined || held.index < index) {
      const line = lines.next();
      if (line.done) return "";
      const [, number = "", text = ""] = /^(\d+) (.*)$/.exec(line.value ?? "") ?? [];
      // An invalid line is stored next to the following record, and is damage there.
      held = number === "" ? { index, text: "?" } : { index: Number(number), text };
    }
    return held.index === index ? held.text : "";
  };
}

function textOf({ files }: ExportWalk, path: string): string {
  return textOfUtf8(wholeOf(files.read(path), CHECKPOINT_BYTES_MAX) ?? new Uint8Array(0)) ?? "";
}

/** Undefined for a file that is longer than any of its kind. */
function wholeOf(parts: Iterable<Uint8Array> | undefined, bytesMax: number): Uint8Array | undefined {
  if (!parts) return undefined;
  const list: Uint8Array[] = [];
  let length = 0;
  for (const part of parts) {
    length += part.length;
    if (length > bytesMax) return undefined;
    list.push(part);
  }
  if (list.length === 1) return list[0];
  const bytes = new Uint8Array(list.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of list) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}
