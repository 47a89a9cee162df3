/** The data directory: made whole or not at all, and looked over before anything in it is trusted. */
import { createPrivateKey } from "node:crypto";
import {
  chmodSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { FIRST_PREV, formatSignedHead } from "@sallyport/ledger";
import { Problem } from "@sallyport/protocol";
import { systemClock } from "../../kernel/clock.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { KeyEncryptionKeySource } from "../../keys/sealer.ts";
import { bindDatabase } from "../state/bind-database.ts";
import { dataPaths, isInitialized } from "../disk/data-paths.ts";
import { syncDirectory, writeDurably } from "../disk/durable-file.ts";
import { readKeyEncryptionKey } from "../secrets/key-encryption-key.ts";
import { makeSealer, ownSource } from "../secrets/open-sealer.ts";
import { formatPepperList } from "../secrets/pepper-files.ts";
import { createSchema } from "../disk/schema.ts";
import { signingKeyFile, writeSecretFile } from "../secrets/sealed-files.ts";
import { listSegments } from "../ledger/segment-file.ts";
import { generateSigningKey, signerFromPem } from "../secrets/signing-key.ts";
import { openDatabase } from "../disk/sqlite.ts";

/** Where a data directory is and what opens its secrets, as the settings say it. */
export interface DirectoryPlace {
  readonly dataDirectory: string;
  readonly keyEncryptionKey: KeyEncryptionKeySource;
}

/**
 * Creates the directory (0700) with secrets, signing key, empty ledger and database. After an interruption, it can be
 * run again. Throws `already_exists` if there is a database, `conflict` if the directory contains anything else,
 * `store_unavailable` if the key-encryption key is configured elsewhere and missing.
 */
export function initDataDirectory(
  directory: string,
  clock: Clock = systemClock,
  source: KeyEncryptionKeySource = ownSource(dataPaths(directory)),
): void {
  const paths = dataPaths(directory);
  if (isInitialized(directory)) throw new Problem("already_exists", `${directory} is initialised already`);
  // Before anything is created: detect a missing key first.
  if (source.kind !== "file" || source.path !== paths.keyEncryptionKey) readKeyEncryptionKey(source);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  refuseForeign(directory, [paths.secrets, paths.peppers, paths.ledger]);
  const ours = ["secrets", "ledger", "lock", "lock.pid"];
  const strange = readdirSync(directory).filter((name) => !ours.includes(name) && !name.startsWith("sallyport.db.new"));
  if (strange.length > 0)
    throw new Problem(
      "conflict",
      `${directory} holds other things (${strange.slice(0, 3).join(", ")}): name an empty directory`,
    );
  for (const folder of [paths.secrets, paths.peppers, paths.ledger])
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Left over from a database that is gone: its peppers and ledger are worth more than a quick start.
  const remains = [...readdirSync(paths.peppers), ...listSegments(paths.ledger).map(({ name }) => name)];
  if (remains.length > 0)
    throw new Problem(
      "conflict",
      `${directory} holds parts of an earlier installation (${remains.slice(0, 3).join(", ")})`,
    );
  // An empty directory that was there before may have any mode.
  for (const folder of [directory, paths.secrets, paths.peppers, paths.ledger]) chmodSync(folder, 0o700);

  const { privatePem, publicPem } = generateSigningKey();
  writeSecretFile(makeSealer(directory, source), signingKeyFile(paths), Buffer.from(privatePem));
  writeDurably(paths.publicKey, publicPem, 0o644);
  writeDurably(paths.pepperList, formatPepperList([]));
  syncDirectory(paths.secrets);

  const head = signerFromPem(privatePem).sign({ seq: 0, hash: FIRST_PREV, at: clock.now() });
  const aside = `${paths.database}.new`;
  for (const suffix of ["", "-journal", "-wal", "-shm"]) rmSync(`${aside}${suffix}`, { force: true });
  // Made before SQLite opens it, so that its mode is ours; its log files take the same.
  closeSync(openSync(aside, "wx", 0o600));
  const database = openDatabase(aside, { isReadOnly: false });
  try {
    createSchema(database, formatSignedHead(head));
    database.exec("BEGIN IMMEDIATE");
    bindDatabase(database, createPrivateKey(privatePem));
    database.exec("COMMIT");
  } finally {
    database.close();
  }
  renameSync(aside, paths.database);
  syncDirectory(directory);
}

/** Secrets are written only where this user alone decides what is there: not into another's directory, not through a link. */
function refuseForeign(directory: string, folders: readonly string[]): void {
  const { uid } = statSync(directory);
  const own = process.getuid?.();
  if (own !== undefined && uid !== own)
    throw new Problem(
      "conflict",
      `${directory} belongs to another user (uid ${uid}, this is ${own}): run as that user, or name another directory`,
    );
  for (const folder of folders)
    if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink())
      throw new Problem("conflict", `${folder} is a symbolic link: remove it, or name another directory`);
}

/** Throws `data_missing` where nothing was initialised, else `store_unavailable` with everything missing or too open. */
export function checkDataDirectory(directory: string): void {
  if (!isInitialized(directory)) throw new Problem("data_missing", directory);
  const paths = dataPaths(directory);
  const folders = [directory, paths.secrets, paths.peppers, paths.ledger];
  if (existsSync(paths.backups)) folders.push(paths.backups);
  const files = [paths.database, paths.signingKey, paths.pepperList, ...filesIn(paths.peppers)];
  // An older directory has none of these yet; whether they belong together is looked at when they are opened.
  files.push(
    ...[paths.keyEncryptionKey, paths.dataKeys, paths.rekey, paths.restored, paths.upstreams].filter((path) =>
      existsSync(path),
    ),
  );
  const mistakes = [
    ...folders.flatMap((path) => mistakeOf(path, "a directory", 0o700)),
    ...[paths.secrets, paths.peppers].filter(isLink).map((path) => `${path}: is a symbolic link`),
    ...files.flatMap((path) => mistakeOf(path, "a file", 0o600)),
    // Public: anyone may read it, but no one else may replace it.
    ...mistakeOf(paths.publicKey, "a file", 0o644),
  ];
  if (mistakes.length > 0)
    throw new Problem("store_unavailable", `the data directory ${directory} is not in order`, mistakes);
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

function mistakeOf(path: string, kind: "a directory" | "a file", mode: number): readonly string[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return [`${path}: is missing`];
  if (found.isDirectory() !== (kind === "a directory")) return [`${path}: is not ${kind}`];
  // Windows keeps no such modes.
  if (process.platform === "win32" || (found.mode & 0o777 & ~mode) === 0) return [];
  return [`${path}: its mode is ${(found.mode & 0o777).toString(8)}, wider than ${mode.toString(8)}: use chmod`];
}

function filesIn(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory).map((name) => join(directory, name)) : [];
}
