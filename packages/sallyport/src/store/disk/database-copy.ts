/** A copy of the database made while it is at rest: whole under its name, or not there. */
import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Problem } from "@sallyport/protocol";
import { syncDirectory } from "./durable-file.ts";
import { openDatabase } from "./sqlite.ts";
import type { SqlDatabase } from "./sqlite.ts";

/** So that a program killed in each upgrade does not fill the disk with copies. */
const KEPT = 3;
const OURS = /^[0-9]+-[0-9]{8}T[0-9]{9}Z\.db$/;

export interface CopyOrder {
  readonly folder: string;
  /** Schema version of the database. */
  readonly version: number;
  /** Epoch ms. */
  readonly now: number;
}

/** Copies the open database to `<folder>/<version>-<time>.db` (0600, on disk, read once over) and answers its path. */
export function keepDatabaseCopy(database: SqlDatabase, { folder, version, now }: CopyOrder): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  for (const name of readdirSync(folder)) if (name.endsWith(".db.tmp")) rmSync(join(folder, name));
  const path = join(folder, `${version}-${new Date(now).toISOString().replaceAll(/[-:.]/g, "")}.db`);
  const aside = `${path}.tmp`;
  try {
    copyDatabase(database, aside, version);
    syncFile(aside);
    renameSync(aside, path);
    syncDirectory(folder);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
  return path;
}

/** Removes all but the newest copies that were made by `keepDatabaseCopy()`; other files are left alone. */
export function forgetOldBackups(folder: string): void {
  const timeOf = (name: string): string => name.slice(name.indexOf("-"));
  const ours = readdirSync(folder).filter((name) => OURS.test(name));
  ours.sort((a, b) => (timeOf(a) < timeOf(b) ? 1 : -1));
  for (const name of ours.slice(KEPT)) rmSync(join(folder, name));
}

/**
 * A consistent snapshot of the database, even while it is written to, in a new file (0600) that has been read once
 * completely.
 */
export function copyDatabase(database: SqlDatabase, path: string, version: number): void {
  // SQLite fills an existing empty file, so that its mode is ours.
  closeSync(openSync(path, "wx", 0o600));
  database.prepare("VACUUM INTO ?").run(path);
  demandWhole(path, version, "quick_check");
}

/**
 * Throws `store_unavailable` unless every page is in order and the schema is the expected one. A copy of our own needs the
 * quick check; of a file that comes from elsewhere the indexes are compared with their tables, too.
 */
export function demandWhole(path: string, version: number, check: "quick_check" | "integrity_check"): void {
  const copy = openDatabase(path, { isReadOnly: true });
  try {
    const found = copy.prepare("PRAGMA user_version").get()?.["user_version"];
    const verdict = copy.prepare(`PRAGMA ${check}(1)`).get()?.[check];
    if (found !== version || verdict !== "ok")
      throw new Problem("store_unavailable", `the copy is not whole: ${String(verdict)}`);
  } finally {
    copy.close();
  }
}

function syncFile(path: string): void {
  const handle = openSync(path, "r+");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
