/**
 * Upgrades an older database where that was asked for: a copy first, then every step that is missing in one
 * transaction. Whatever goes wrong, the database is the old one still. The caller holds the directory's lock.
 */
import type { KeyObject } from "node:crypto";
import { existsSync, rmSync, statfsSync } from "node:fs";
import { parseSignedHead } from "@sallyport/ledger";
import { Problem } from "@sallyport/protocol";
import type { Clock } from "../../kernel/clock.ts";
import { keepDatabaseCopy, forgetOldBackups } from "../disk/database-copy.ts";
import { bindDatabase } from "./bind-database.ts";
import { checkStateNow, foreignSchema, stateProblem } from "./check-state.ts";
import { dataPaths } from "../disk/data-paths.ts";
import { migrations as allMigrations } from "./migrations.ts";
import type { Migration } from "./migrations/migration.ts";
import { readSchemaVersion, SCHEMA_VERSION } from "../disk/schema.ts";
import { openDatabase } from "../disk/sqlite.ts";
import type { SqlDatabase } from "../disk/sqlite.ts";

/** The schema from which on rows are bound. */
const BOUND_FROM = 5;

export interface UpgradeOptions {
  readonly directory: string;
  readonly clock: Clock;
  /** Told what the operator should read: that an upgrade begins, where the copy is, that it is done. */
  readonly onNotice: (text: string) => void;
  /** Binds the rows as they are after the upgrade; null leaves them unbound, to try out the mechanism. */
  readonly signingKey: KeyObject | null;
  /** Steps in order, the first from version 1 to 2; others are handed in to try out the mechanism. */
  readonly migrations?: readonly Migration[];
  /** Bytes a file in the directory may still take. */
  readonly freeBytes?: (directory: string) => number;
}

export interface Upgraded {
  readonly from: number;
  readonly to: number;
  readonly backup: string;
}

/**
 * Null where there was nothing to do. Throws `store_unavailable` for a database newer than the steps, where there is no
 * room for the copy, and where a step fails.
 */
export function upgradeDatabase(options: UpgradeOptions): Upgraded | null {
  const { migrations = allMigrations, directory } = options;
  migrations.forEach(({ to }, at) => {
    if (to !== at + 2) throw new TypeError(`the step to schema ${to} is not in its place`);
  });
  const database = openWriting(dataPaths(directory).database);
  try {
    const to = migrations.length + 1;
    const from = readSchemaVersion(database, to);
    if (from === to) return null;
    options.onNotice(`the database has schema ${from}; it is upgraded to ${to} after a backup`);
    const backup = copyBefore(database, from, options);
    options.onNotice(`the database as it was is kept in ${backup}`);
    try {
      applySteps(database, from, migrations.slice(from - 1), options);
    } catch (error) {
      // The database is what it was, so the copy says nothing more; kept, a restart every few seconds would fill the disk.
      rmSync(backup, { force: true });
      throw error;
    }
    forgetOldBackups(dataPaths(directory).backups);
    options.onNotice(`the database has schema ${to} now`);
    return { from, to, backup };
  } finally {
    database.close();
  }
}

export function schemaVersionOf(directory: string): number {
  const database = openDatabase(dataPaths(directory).database, { isReadOnly: true });
  try {
    return readSchemaVersion(database, SCHEMA_VERSION);
  } finally {
    database.close();
  }
}

/** For everything that was not asked to upgrade. Throws `schema_older`, or `store_unavailable` for a newer database. */
export function refuseOlderDirectory(directory: string): void {
  const { database, dataKeys, secrets } = dataPaths(directory);
  const from = schemaVersionOf(directory);
  if (from < SCHEMA_VERSION)
    throw new Problem("schema_older", `${database} has schema ${from}, this program needs ${SCHEMA_VERSION}`);
  if (!existsSync(dataKeys)) throw new Problem("schema_older", `the secrets in ${secrets} are not encrypted yet`);
}

function openWriting(path: string): SqlDatabase {
  try {
    return openDatabase(path, { isReadOnly: false });
  } catch (error) {
    throw new Problem("store_unavailable", `${path} cannot be opened for writing (${said(error)})`);
  }
}

function copyBefore(database: SqlDatabase, version: number, options: UpgradeOptions): string {
  const { directory, clock, freeBytes = freeBytesOf } = options;
  // Once for the copy, once for the log of a transaction that may rewrite every table.
  const needed = 2 * databaseBytes(database);
  const free = freeBytes(directory);
  if (free < needed)
    throw new Problem(
      "store_unavailable",
      `the database cannot be upgraded: the backup and the upgrade need ${mebibytes(needed)} in ${directory}, where ${mebibytes(free)} are free; nothing was changed, make room and start again`,
    );
  try {
    return keepDatabaseCopy(database, { folder: dataPaths(directory).backups, version, now: clock.now() });
  } catch (error) {
    throw new Problem(
      "store_unavailable",
      `the database cannot be upgraded, because its backup in ${dataPaths(directory).backups} failed (${said(error)}); nothing was changed`,
    );
  }
}

function applySteps(
  database: SqlDatabase,
  from: number,
  steps: readonly Migration[],
  { signingKey, clock }: UpgradeOptions,
): void {
  database.exec("PRAGMA synchronous = FULL; BEGIN IMMEDIATE");
  const now = clock.now();
  let step: Migration | undefined;
  try {
    if (signingKey) demandOwnState(database, from, signingKey);
    for (step of steps) {
      step.apply(database, now);
      database.exec(`PRAGMA user_version = ${step.to}`);
    }
    step = undefined;
    if (signingKey) bindDatabase(database, signingKey);
    database.exec("COMMIT");
  } catch (error) {
    // SQLite has rolled back by itself after some errors, a full disk among them.
    try {
      database.exec("ROLLBACK");
    } catch {
      // There is no transaction any more, which is what was wanted.
    }
    if (error instanceof StateDiffers) throw error.problem;
    const where = step ? `the step to schema ${step.to} (${step.says})` : "its commit";
    throw new Problem(
      "store_unavailable",
      `the database could not be upgraded: ${where} failed (${said(error)}); the database is as it was, so the version that wrote it still runs`,
    );
  }
}

class StateDiffers extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** What is bound now is what the gateway wrote: an upgrade must not sign what others wrote. */
function demandOwnState(database: SqlDatabase, from: number, signingKey: KeyObject): void {
  const head = parseSignedHead(String(database.prepare("SELECT value FROM meta WHERE name = 'head'").get()?.["value"]));
  if (from < BOUND_FROM) {
    const foreign = foreignSchema(database);
    if (foreign) throw new StateDiffers(stateProblem(foreign));
    if (head?.state === undefined) return;
    const reason = `the signed head is of a database with bound rows, and this one says that it has schema ${from}`;
    throw new StateDiffers(stateProblem({ table: "meta", id: "head", reason }));
  }
  const { firstDifference } = checkStateNow({ database, signingKey });
  if (firstDifference) throw new StateDiffers(stateProblem(firstDifference));
}

function databaseBytes(database: SqlDatabase): number {
  const pages = Number(database.prepare("PRAGMA page_count").get()?.["page_count"]);
  return pages * Number(database.prepare("PRAGMA page_size").get()?.["page_size"]);
}

function freeBytesOf(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
