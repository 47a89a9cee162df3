/**
 * The content of a backup at one moment, whether or not the server is running: the database, the secrets it needs, and
 * the segments of the ledger that its table no longer has. Segments are opened before the database is copied: one that
 * is rewritten meanwhile, because requests in it are removed, is then as the database knows it, or older, which
 * verifies.
 */
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
} from "node:fs";
import { join, relative, sep } from "node:path";
import { parseSignedHead } from "@sallyport/ledger";
import { Problem } from "@sallyport/protocol";
import { copyDatabase } from "../disk/database-copy.ts";
import { dataKeyIds, neededKekId } from "../secrets/data-keys.ts";
import type { DataPaths } from "../disk/data-paths.ts";
import { keyIdOf } from "../secrets/envelope.ts";
import { isIncidentName } from "./manifest.ts";
import type { Manifest } from "./manifest.ts";
import { rekeyUnderWay } from "../secrets/reseal.ts";
import { checkSchema, readCounter, readMeta, SCHEMA_VERSION } from "../disk/schema.ts";
import { secretFiles } from "../secrets/sealed-files.ts";
import { listSegments } from "../ledger/segment-file.ts";
import { openDatabase } from "../disk/sqlite.ts";

/** Left free beside the copy, so that a backup does not stop the server it is made of. */
const ROOM_BESIDE_BYTES = 128 * 1024 * 1024;
const LEFT_AFTER_MS = 86_400_000;

export interface Part {
  readonly name: string;
  /** A file that does not change, one that is open already, or what it held when it was read. */
  readonly from: { readonly path: string } | { readonly handle: number } | { readonly content: Buffer };
}

export interface Contents {
  readonly facts: Pick<Manifest, "schema" | "epoch" | "head" | "kek">;
  readonly parts: readonly Part[];
  /** Removes the copy of the database, and closes the segments. */
  close(): void;
}

/** A segment went away while the backup was made: retention. Begun again, there is one less. */
export class SegmentGone extends Error {}

/** Throws `conflict` while keys are being changed, `store_unavailable` where there is no room for the copy. */
export function gatherContents(paths: DataPaths, { withKek }: { readonly withKek: boolean }): Contents {
  const opened = new Map<string, { readonly first: number; readonly handle: number }>();
  let copy: string | undefined;
  const openSegments = (): void => {
    for (const { name, first, path } of listSegments(paths.ledger))
      if (!opened.has(name)) opened.set(name, { first, handle: openSync(path, "r") });
  };
  const close = (): void => {
    for (const { handle } of opened.values()) closeSync(handle);
    opened.clear();
    if (copy !== undefined) rmSync(copy, { force: true });
  };
  try {
    openSegments();
    copy = copyOf(paths);
    // Those that have become a file since then.
    openSegments();
    const { truncatedBefore, firstRow, ...facts } = factsOf(copy);
    const secrets = readSecrets(paths, withKek);
    const segments = [...opened]
      .map(([name, segment]) => ({ name, ...segment }))
      .filter(({ first }) => first < firstRow && first >= truncatedBefore)
      .toSorted((a, b) => a.first - b.first);
    if ((segments[0]?.first ?? firstRow) > truncatedBefore) throw new SegmentGone();
    const parts = [
      { name: "sallyport.db", from: { path: copy } },
      { name: "ledger/public.pem", from: { content: readFileSync(paths.publicKey) } },
      ...segments.map(({ name, handle }) => ({ name: `ledger/${name}`, from: { handle } })),
      ...secrets,
      ...incidentFiles(paths),
    ];
    return { facts: { ...facts, schema: SCHEMA_VERSION, kek: neededKekId(paths) ?? "" }, parts, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** In the data directory: the place a backup goes to may keep what was deleted. */
function copyOf(paths: DataPaths): string {
  mkdirSync(paths.backups, { recursive: true, mode: 0o700 });
  chmodSync(paths.backups, 0o700);
  sweep(paths.backups);
  const { bavail, bsize } = statfsSync(paths.root);
  const needed = statSync(paths.database).size + ROOM_BESIDE_BYTES;
  if (bavail * bsize < needed)
    throw new Problem("store_unavailable", `${paths.root} has no room for a copy of the database (${needed} bytes)`);
  const copy = join(paths.backups, `backup-${process.pid}.db.tmp`);
  rmSync(copy, { force: true });
  const database = openDatabase(paths.database, { isReadOnly: true });
  try {
    checkSchema(database);
    copyDatabase(database, copy, SCHEMA_VERSION);
  } catch (error) {
    rmSync(copy, { force: true });
    throw error;
  } finally {
    database.close();
  }
  return copy;
}

/** Copies that killed backups left; a backup that is still being made is younger. */
function sweep(folder: string): void {
  for (const name of readdirSync(folder).filter((one) => /^backup-[0-9]+\.db\.tmp$/.test(one))) {
    const path = join(folder, name);
    if (Date.now() - statSync(path).mtimeMs > LEFT_AFTER_MS) rmSync(path, { force: true });
  }
}

function factsOf(copy: string) {
  const database = openDatabase(copy, { isReadOnly: true });
  try {
    const head = parseSignedHead(readMeta(database, "head"));
    if (!head) throw new Problem("store_unavailable", "the head of the audit log cannot be read");
    const first = database.prepare("SELECT min(seq) AS first FROM ledger").get()?.["first"];
    return {
      epoch: readCounter(database, "epoch"),
      head: { seq: head.seq, hash: head.hash },
      truncatedBefore: readCounter(database, "truncated_before"),
      firstRow: typeof first === "number" ? first : 1,
    };
  } finally {
    database.close();
  }
}

/** After the database, so that every pepper its keys need is there; the list first, so that each it names is there. */
function readSecrets(paths: DataPaths, withKek: boolean): readonly Part[] {
  const list = readFileSync(paths.pepperList);
  const dataKeys = readFileSync(paths.dataKeys);
  const known = dataKeyIds(dataKeys.toString("utf8"));
  const secrets = secretFiles(paths).map(({ path }) => ({ path, content: readFileSync(path) }));
  const isTorn = secrets.some(({ content }) => !known.includes(keyIdOf(content.toString("latin1").trim()) ?? ""));
  if (isTorn || rekeyUnderWay(paths))
    throw new Problem("conflict", "keys are being changed: run 'sallyport rekey' to its end first");
  const parts: Part[] = [
    { name: "secrets/peppers.json", from: { content: list } },
    { name: "secrets/data-keys.json", from: { content: dataKeys } },
    ...secrets.map(({ path, content }) => ({ name: path.slice(paths.root.length + 1), from: { content } })),
  ];
  if (withKek) parts.push({ name: "secrets/kek", from: { content: readFileSync(paths.keyEncryptionKey) } });
  return parts;
}

/** What is whole: a report that is being written has another name until it is. */
function incidentFiles({ incidents, root }: DataPaths): readonly Part[] {
  if (!statSync(incidents, { throwIfNoEntry: false })) return [];
  return readdirSync(incidents, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ name: relative(root, path).split(sep).join("/"), from: { path } }))
    .filter(({ name }) => isIncidentName(name));
}

/** Entries of the folder for the new backup; empty if it does not exist yet. */
export function entriesOf(folder: string): readonly string[] {
  return statSync(folder, { throwIfNoEntry: false }) ? readdirSync(folder) : [];
}
