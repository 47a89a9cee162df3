/**
 * The verifier of an export: a copied folder or file, offline, with nothing but the cryptography handed in. Every record
 * leads to a signed checkpoint, every file stands in the signed manifest, and the first damage is named by its place.
 */
import { noPins } from "./check-log.ts";
import type { LedgerCrypto, Pins } from "./check-log.ts";
import { parseExportManifest } from "./export-manifest.ts";
import type { ExportManifest } from "./export-manifest.ts";
import { linesOf } from "./lines-of.ts";
import { checkNote, parseSignedNote, parseVerifierKey } from "./signed-note.ts";
import type { ExportFiles, ExportWalk } from "./export-walk.ts";
import { verifyRows } from "./verify-rows.ts";
import { verifyTiles } from "./verify-tiles.ts";
import { cannotShow } from "./verify-ledger.ts";
import type { LedgerDamage } from "./damage-words.ts";
import type { LedgerVerdict } from "./verify-ledger.ts";
import { RecordTimes } from "./record-times.ts";

export const MANIFEST_FILE = "manifest";
/** Some hundred thousand files. */
export const MANIFEST_LENGTH_MAX = 64 * 1024 * 1024;

/** The manifest of an export, where it is signed by the pinned key of its node or, without one, by its own. */
export function readManifest(files: ExportFiles, crypto: LedgerCrypto, pins: Pins): ExportManifest | LedgerDamage {
  const damage = (reason: string): LedgerDamage => ({ seq: 0, file: MANIFEST_FILE, reason });
  const text = files.manifest();
  if (text === undefined) return damage("the export has no manifest");
  const note = parseSignedNote(text, MANIFEST_LENGTH_MAX);
  const manifest = note && parseExportManifest(note.text);
  if (!note || !manifest) return damage("the manifest is not well-formed");
  const name = `sallyport/${manifest.node}`;
  const own = parseVerifierKey(crypto.sha256, manifest.key);
  const pinned = pins.keys.find((key) => key.name === name);
  const key = pinned ?? (own?.name === name ? own : undefined);
  if (!key) return damage("the key of the node that made the export is not known");
  const { verdict } = checkNote(crypto.verify, note, key);
  if (verdict === "genuine") return manifest;
  return damage(
    verdict === "forged"
      ? "the manifest's signature is not genuine"
      : `the manifest is signed by another key than ${pinned ? "the pinned one" : "its node's"}`,
  );
}

/** Gives the same verdict wherever the export was copied to. */
export function verifyExport(files: ExportFiles, crypto: LedgerCrypto, pins: Pins = noPins): LedgerVerdict {
  const manifest = readManifest(files, crypto, pins);
  const times = new RecordTimes();
  const verdict = (records: number, damage: LedgerDamage | undefined, ended = 0): LedgerVerdict => ({
    ok: damage === undefined,
    records,
    ...(damage ? { firstDamage: damage } : {}),
    unvouched: times.unvouched,
    cannotShow: cannotShow(pins, ended),
  });
  if ("reason" in manifest) return verdict(0, manifest);
  const present = compareNames(files, manifest);
  if (present) return verdict(0, present);
  const walk: ExportWalk = { files, manifest, crypto, pins, times, records: 0, ended: 0 };
  // The records first: damage in one is named by its number. Then every file, for what no record leads to.
  const damage = walkRecords(walk) ?? compareHashes(walk);
  return verdict(walk.records, damage, walk.ended);
}

function walkRecords(walk: ExportWalk): LedgerDamage | undefined {
  switch (walk.manifest.format) {
    case "tiles":
      return verifyTiles(walk);
    case "jsonl":
      return verifyRows(walk);
    case "ocsf":
      return countLines(walk);
  }
}

function compareNames({ paths }: ExportFiles, { files }: ExportManifest): LedgerDamage | undefined {
  const named = new Set(files.map(({ path }) => path));
  const found = new Set(paths());
  for (const path of named) if (!found.has(path)) return { seq: 0, file: path, reason: "the file is missing" };
  for (const path of found)
    if (!named.has(path)) return { seq: 0, file: path, reason: "the manifest does not name this file" };
  return undefined;
}

function compareHashes({ files, manifest }: ExportWalk): LedgerDamage | undefined {
  for (const { path, sha256, bytes } of manifest.files) {
    const parts = files.read(path);
    if (!parts || files.sha256(upTo(parts, bytes)) !== sha256)
      return { seq: 0, file: path, reason: "the file was changed" };
  }
  return undefined;
}

/** A longer file is another one: it is not read to its end, and what is read of it has another hash. */
function* upTo(parts: Iterable<Uint8Array>, bytes: number): Generator<Uint8Array> {
  let left = bytes;
  for (const part of parts) {
    yield part;
    left -= part.length;
    if (left < 0) return;
  }
}

/** Bodies for another system: what they were made of is not in them, so they are proved whole or not at all. */
function countLines(walk: ExportWalk): LedgerDamage | undefined {
  for (const { path } of walk.manifest.files)
    for (const line of linesOf(walk.files.read(path) ?? [])) {
      if (line === undefined) return { seq: 0, file: path, reason: "a line is too long, or not UTF-8" };
      walk.records++;
    }
  return undefined;
}
