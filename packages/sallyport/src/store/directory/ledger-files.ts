/** The ledger as files: exports and proofs, whether or not the server is running. Loaded by those commands only. */
import { setTimeout as wait } from "node:timers/promises";
import type { ExportFormat } from "@sallyport/ledger";
import {
  canonical,
  exportRow,
  formatVerifierKey,
  logOrigin,
  ocsfBody,
  parseCheckpoint,
  parseTreeState,
  readKept,
} from "@sallyport/ledger";
import { isEnvironmentName } from "@sallyport/protocol";
import type { EnvironmentName } from "@sallyport/protocol";
import { systemClock } from "../../kernel/clock.ts";
import { VERSION } from "../../version.ts";
import { dataPaths } from "../disk/data-paths.ts";
import { checkSchema, readMeta } from "../disk/schema.ts";
import { openDatabase } from "../disk/sqlite.ts";
import type { SqlDatabase } from "../disk/sqlite.ts";
import { exportLedger } from "../ledger/export-ledger.ts";
import type { Exported } from "../ledger/export-ledger.ts";
import { RowsWriter } from "../ledger/export-rows.ts";
import { TilesWriter } from "../ledger/export-tiles.ts";
import { logNamed } from "../ledger/ledger-logs.ts";
import { deriveNoteSigner, nodeName } from "../ledger/note-signer.ts";
import { LedgerProofs } from "../ledger/prove-records.ts";
import type { RecordId } from "../ledger/prove-records.ts";
import { proveRecordsBySeq as proveSeveral } from "../ledger/prove-records.ts";
import { proveLogGrowth } from "../search/log-growth.ts";
import type { LogGrowth } from "../search/log-growth.ts";
import { openSealer } from "../secrets/open-sealer.ts";
import { openSigningKey } from "../secrets/signing-key.ts";
import { checkDataDirectory } from "./data-directory.ts";
import type { DirectoryPlace } from "./data-directory.ts";

export interface ExportWish {
  readonly format: ExportFormat;
  readonly out: string;
  readonly environment?: string | undefined;
  readonly onProgress?: (records: number, total: number) => void;
}

/** Works whether or not the server is running; writes nothing but the export. */
export async function exportAudit(
  place: DirectoryPlace,
  { format, out, environment, onProgress }: ExportWish,
): Promise<Exported> {
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
      ...(onProgress ? { onProgress } : {}),
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

export function proveRecord(place: DirectoryPlace, id: RecordId): Promise<string> {
  return withDatabase(place, (database) => new LedgerProofs(database, dataPaths(place.dataDirectory)).ofRecord(id));
}

/** A moment's patience, until what was just recorded can be proved; false where that does not come. */
export function awaitProofs(place: DirectoryPlace, environments: readonly string[]): Promise<boolean> {
  return withDatabase(place, (database) => awaitCheckpoints(database, environments));
}

/** Proofs of several records by their numbers, in two walks; missing records have none. */
export function proveRecords(place: DirectoryPlace, seqs: readonly number[]): Promise<ReadonlyMap<number, string>> {
  return withDatabase(place, (database) => proveSeveral(database, dataPaths(place.dataDirectory), seqs));
}

/** The newest checkpoint of an environment's log, and the proof that it goes on from one of `size` records. */
export function proveGrowth(place: DirectoryPlace, environment: EnvironmentName, size: number): Promise<LogGrowth> {
  return withDatabase(place, (database) =>
    proveLogGrowth(database, dataPaths(place.dataDirectory), { environment, size }),
  );
}

/** Throws `unknown_environment` for text that names no log. */
export function logOf(place: DirectoryPlace, text: string): Promise<EnvironmentName> {
  return withDatabase(place, (database) => Promise.resolve(logNamed(database, text)));
}

export interface PublishedKey {
  readonly name: string;
  /** What a verifier is given. */
  readonly key: string;
}

/** What an auditor keeps: the keys that sign exports and each environment's log today. */
export function publishedKeys(place: DirectoryPlace): Promise<readonly PublishedKey[]> {
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

function signingKey({ dataDirectory, keyEncryptionKey }: DirectoryPlace) {
  const paths = dataPaths(dataDirectory);
  return openSigningKey(paths, openSealer(dataDirectory, { source: keyEncryptionKey }));
}

async function withDatabase<T>(
  { dataDirectory }: DirectoryPlace,
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

const LOOK_MS = 100;
const PATIENCE_MS = 5_000;

/** Resolves when checkpoints cover what the environments' logs held when it was called, or after some seconds with false. */
async function awaitCheckpoints(database: SqlDatabase, environments: readonly string[]): Promise<boolean> {
  const rows = () => database.prepare("SELECT environment, state, checkpoint FROM log").all();
  const wanted = rows()
    .filter(({ environment }) => environments.includes(String(environment)))
    .map(({ environment, state }) => ({ environment, size: parseTreeState(String(state))?.size ?? 0 }));
  for (let waited = 0; ; waited += LOOK_MS) {
    const signed = new Map(rows().map((row) => [row["environment"], parseCheckpoint(String(row["checkpoint"]))?.size]));
    if (wanted.every(({ environment, size }) => (signed.get(environment!) ?? 0) >= size)) return true;
    if (waited >= PATIENCE_MS) return false;
    await wait(LOOK_MS);
  }
}
