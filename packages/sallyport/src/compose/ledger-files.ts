/** The ledger as files: exports, proofs and their verification, joined from settings and the store. Loaded by those commands only. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  canonical,
  cannotShow,
  exportRow,
  formatVerifierKey,
  isEnvironmentName,
  logOrigin,
  MANIFEST_FILE,
  ocsfBody,
  parseCheckpoint,
  parseVerifierKey,
  Problem,
  PROOF_FIRST_LINE,
  readKept,
  verifyExport,
  verifyRecordProof,
} from "@sallyport/protocol";
import type { EnvironmentName, ExportFormat, LedgerVerdict, Pins } from "@sallyport/protocol";
import type { Settings } from "../config/settings.ts";
import { systemClock } from "../kernel/clock.ts";
import { readBounded, readStart } from "../kernel/read-bounded.ts";
import { awaitCheckpoints } from "../store/ledger/await-checkpoints.ts";
import { checkDataDirectory } from "../store/directory/data-directory.ts";
import { dataPaths, isInitialized } from "../store/disk/data-paths.ts";
import { exportFilesAt } from "../store/ledger/export-files.ts";
import { exportLedger } from "../store/ledger/export-ledger.ts";
import type { Exported } from "../store/ledger/export-ledger.ts";
import { RowsWriter } from "../store/ledger/export-rows.ts";
import { TilesWriter } from "../store/ledger/export-tiles.ts";
import { ledgerCrypto } from "../store/ledger/ledger-crypto.ts";
import { openLedgerReader } from "../store/search/ledger-reader.ts";
import { deriveNoteSigner, nodeName } from "../store/ledger/note-signer.ts";
import { openSealer } from "../store/secrets/open-sealer.ts";
import { logNamed } from "../store/ledger/log-name.ts";
import { proveLogGrowth } from "../store/search/log-growth.ts";
import type { LogGrowth } from "../store/search/log-growth.ts";
import { LedgerProofs } from "../store/ledger/prove-record.ts";
import type { RecordId } from "../store/ledger/prove-record.ts";
import { proveRecords as proveSeveral } from "../store/ledger/prove-records.ts";
import { checkSchema, readMeta } from "../store/disk/schema.ts";
import { openSigningKey } from "../store/secrets/signing-key.ts";
import { openDatabase } from "../store/disk/sqlite.ts";
import type { SqlDatabase } from "../store/disk/sqlite.ts";
import { VERSION } from "../version.ts";

const TEXT_BYTES_MAX = 1024 * 1024;

type Place = Pick<Settings, "dataDirectory" | "keyEncryptionKey">;

export interface ExportWish {
  readonly format: ExportFormat;
  readonly out: string;
  readonly environment?: string | undefined;
  readonly progress?: (records: number) => void;
}

/** Beside a running server or without one; nothing is written but the export. */
export async function exportAudit(place: Place, { format, out, environment, progress }: ExportWish): Promise<Exported> {
  const paths = dataPaths(place.dataDirectory);
  return withDatabase(place, (database, node) => {
    const only = environment === undefined ? undefined : logNamed(database, environment);
    return exportLedger(database, paths, {
      format,
      out,
      environment: only,
      now: systemClock.now(),
      signer: deriveNoteSigner(signingKey(place), nodeName(node), 1),
      makeWriter: (aside, logs) =>
        format === "tiles"
          ? new TilesWriter(aside, logs, only)
          : new RowsWriter(aside, out, format === "ocsf" ? makeOcsfRow(node) : exportRow),
      ...(progress ? { progress } : {}),
    });
  });
}

/** Bodies as sinks send them: the same record has the same uid in both. */
function makeOcsfRow(node: string): (kept: string) => string | undefined {
  const source = { node, version: VERSION };
  return (kept) => {
    const record = readKept(kept);
    return record && canonical(ocsfBody(record, source));
  };
}

export function proveRecord(place: Place, id: RecordId): Promise<string> {
  return withDatabase(place, (database) => new LedgerProofs(database, dataPaths(place.dataDirectory)).ofRecord(id));
}

/** A moment's patience, until what was just recorded can be proved; false where that does not come. */
export function awaitProofs(place: Place, environments: readonly string[]): Promise<boolean> {
  return withDatabase(place, (database) => awaitCheckpoints(database, environments));
}

/** Proofs of several records by their numbers, in two walks; those that are not there have none. */
export function proveRecords(place: Place, seqs: readonly number[]): Promise<ReadonlyMap<number, string>> {
  return withDatabase(place, (database) => proveSeveral(database, dataPaths(place.dataDirectory), seqs));
}

/** The newest checkpoint of an environment's log, and the proof that it goes on from one of `size` records. */
export function proveGrowth(place: Place, environment: EnvironmentName, size: number): Promise<LogGrowth> {
  return withDatabase(place, (database) =>
    proveLogGrowth(database, dataPaths(place.dataDirectory), { environment, size }),
  );
}

/** Throws `unknown_environment` for text that names no log. */
export function logOf(place: Place, text: string): Promise<EnvironmentName> {
  return withDatabase(place, (database) => Promise.resolve(logNamed(database, text)));
}

export interface PublishedKey {
  readonly name: string;
  /** What a verifier is given. */
  readonly key: string;
}

/** What an auditor keeps: the keys that sign exports and each environment's log today. */
export function publishedKeys(place: Place): Promise<readonly PublishedKey[]> {
  return withDatabase(place, (database, node) => {
    const root = signingKey(place);
    const logs = database.prepare("SELECT environment, generation FROM log ORDER BY environment").all();
    const signers = [
      { name: nodeName(node), generation: 1 },
      ...logs.flatMap(({ environment, generation }) =>
        typeof environment === "string" && isEnvironmentName(environment)
          ? [{ name: logOrigin(node, environment), generation: Number(generation) }]
          : [],
      ),
    ];
    return Promise.resolve(
      signers.map(({ name, generation }) => ({
        name,
        key: formatVerifierKey(deriveNoteSigner(root, name, generation).verifier),
      })),
    );
  });
}

/** A data directory, an export or a proof, whichever `path` is. Damage is a verdict; what cannot be read is a `Problem`. */
export async function verifyPath(path: string, pins: Pins): Promise<LedgerVerdict> {
  if (!existsSync(path)) throw new Problem("not_found", `there is no ${path}`);
  if (statSync(path).isDirectory()) {
    if (isInitialized(path) && !existsSync(join(path, MANIFEST_FILE))) return openLedgerReader(path).verify(pins);
    return verifyExport(exportFilesAt(path), ledgerCrypto, pins);
  }
  if (existsSync(`${path}.manifest`) || !isProof(path)) return verifyExport(exportFilesAt(path), ledgerCrypto, pins);
  const verdict = verifyRecordProof(ledgerCrypto, readText(path), pins);
  return {
    ok: verdict.ok,
    records: verdict.ok ? 1 : 0,
    ...(verdict.ok ? {} : { firstDamage: { seq: 0, file: path, reason: verdict.reason } }),
    unvouched: [],
    cannotShow: cannotShow(pins),
  };
}

/** Each is a verifier key, or a file of them, one a line; checkpoints are files. Throws `input_invalid`. */
export function readPins(keys: readonly string[], checkpoints: readonly string[], witnesses: readonly string[]): Pins {
  return {
    keys: keys.flatMap(verifiersOf),
    witnesses: witnesses.flatMap(verifiersOf),
    checkpoints: checkpoints.map((path) => {
      const checkpoint = existsSync(path) ? parseCheckpoint(readText(path)) : undefined;
      if (!checkpoint) throw new Problem("input_invalid", `${path} holds no signed checkpoint`);
      return checkpoint;
    }),
  };
}

/** The verifier keys in a file or a text, at least one: to verify with none would be to verify nothing. */
export function verifiersOf(said: string) {
  const text = existsSync(said) ? readText(said) : said;
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  if (lines.length === 0)
    throw new Problem(
      "input_invalid",
      `${said === "" ? "the verifier key" : said} holds no verifier key, or is longer than 1 MiB`,
    );
  return lines.map((line) => {
    const verifier = parseVerifierKey(ledgerCrypto.sha256, line);
    if (!verifier) throw new Problem("input_invalid", `this is no verifier key (name+id+base64): ${line.slice(0, 80)}`);
    return verifier;
  });
}

function isProof(path: string): boolean {
  return readStart(path, PROOF_FIRST_LINE.length + 1).toString("latin1") === `${PROOF_FIRST_LINE}\n`;
}

/** A proof, a checkpoint or keys; empty for a file that is too long to be one. */
function readText(path: string): string {
  return readBounded(path, TEXT_BYTES_MAX)?.toString("utf8") ?? "";
}

function signingKey({ dataDirectory, keyEncryptionKey }: Place) {
  const paths = dataPaths(dataDirectory);
  return openSigningKey(paths, openSealer(dataDirectory, { source: keyEncryptionKey }));
}

async function withDatabase<T>(
  { dataDirectory }: Place,
  work: (database: SqlDatabase, node: string) => Promise<T>,
): Promise<T> {
  checkDataDirectory(dataDirectory);
  const database = openDatabase(dataPaths(dataDirectory).database, { isReadOnly: true });
  try {
    checkSchema(database);
    return await work(database, readMeta(database, "node"));
  } finally {
    database.close();
  }
}
