/**
 * `audit repair`: puts right what is kept of the logs, from records that lead to the signed head. A log that no environment
 * can have is taken out by an act in the ledger; a row that was deleted or edited is made again. Records are never touched.
 */
import type { KeyObject } from "node:crypto";
import {
  checkNote,
  encodeEvent,
  formatCheckpoint,
  formatSignedNote,
  formatTreeState,
  formatVerifierKey,
  LOG_REMOVED,
  logOrigin,
  parseCheckpoint,
  removedLogFields,
  verifyLedger,
} from "@sallyport/ledger";
import { Problem, SYSTEM_REALM } from "@sallyport/protocol";
import type { LedgerVerdict, RemovedLog } from "@sallyport/ledger";
import { inTransaction } from "./commit-group.ts";
import type { DataPaths } from "../disk/data-paths.ts";
import { LedgerChain } from "../ledger/ledger-chain.ts";
import { ledgerCrypto } from "@sallyport/ledger/node";
import { LedgerLines } from "../ledger/ledger-lines.ts";
import { deriveNoteSigner } from "../ledger/note-signer.ts";
import { RowBinding } from "../state/row-binding.ts";
import { readMeta } from "../disk/schema.ts";
import { isSignatureGenuine, openSigner, readLedgerPublicKey } from "../secrets/signing-key.ts";
import type { SqlDatabase } from "../disk/sqlite.ts";
import { surveyLogs } from "../ledger/survey-logs.ts";
import type { LogSurvey, SurveyedLog } from "../ledger/survey-logs.ts";

/** A row of the table of logs that was made again. */
export interface RebuiltLog {
  readonly log: string;
  readonly records: number;
}

export interface Repair {
  readonly removed: readonly RemovedLog[];
  readonly rebuilt: readonly RebuiltLog[];
}

/** Of the records alone: their chain, up to the signed head. */
export function verifyChain(database: SqlDatabase, paths: DataPaths): Promise<LedgerVerdict> {
  const lines = new LedgerLines(database, paths);
  const publicKey = readLedgerPublicKey(paths.publicKey);
  return verifyLedger({
    lines: lines.all(),
    crypto: ledgerCrypto,
    logs: { node: "", from: Infinity, bases: new Map(), firstKeys: new Map(), checkpoints: new Map(), strays: [] },
    head: () => lines.head,
    verifyHead: (text, signature) => isSignatureGenuine(publicKey, text, signature),
  });
}

/** The caller has verified the chain and holds the directory's lock. Throws `conflict` for what only a backup can bring back. */
export async function repairLogs(
  database: SqlDatabase,
  paths: DataPaths,
  signingKey: KeyObject,
  now: number,
): Promise<Repair> {
  const survey = await surveyLogs(database, new LedgerLines(database, paths));
  const removed = [...survey.strays].map(([log, tree]) => ({ log, records: tree.size, root: tree.root() }));
  const broken = brokenLogs(database, signingKey, survey);
  if (removed.length === 0 && broken.length === 0) return { removed, rebuilt: [] };
  const rebuilt = broken.map(({ environment, tree }) => ({ log: environment, records: tree.size }));
  const binding = new RowBinding(database, signingKey);
  inTransaction({ database, chain: null }, () => {
    const remove = database.prepare("DELETE FROM log WHERE environment = ?");
    for (const { log } of removed) remove.run(log);
    for (const log of broken) putRow(database, signingKey, log, survey.isWhole);
    const chain = new LedgerChain(database, openSigner(paths, signingKey), signingKey, binding);
    const say = (type: string, fields: ReturnType<typeof removedLogFields> | { log: string; records: number }): void =>
      chain.append(encodeEvent({ type, at: now, environment: SYSTEM_REALM, actor: "gateway", fields }));
    for (const log of removed) say(LOG_REMOVED, removedLogFields(log));
    for (const { log, records } of rebuilt) say("ledger.log_rebuilt", { log, records });
    chain.seal(now);
    chain.sealLogs(now);
  });
  return { removed, rebuilt };
}

type LogRow = Readonly<Record<"base" | "first_key" | "state" | "checkpoint" | "generation", unknown>>;

/** Logs whose row is not what the records say. */
function brokenLogs(database: SqlDatabase, signingKey: KeyObject, survey: LogSurvey): readonly SurveyedLog[] {
  const select = database.prepare("SELECT * FROM log WHERE environment = ?");
  return [...survey.logs.values()].filter((log) => {
    const row = select.get(log.environment) as LogRow | undefined;
    if (row && log.isOfItsTree && isGenuine(row, originOf(database, log), signingKey)) {
      const isKept = row.state === formatTreeState(log.tree.state);
      if (!survey.isWhole) return !isKept;
      const firstKey = keyOf(signingKey, originOf(database, log), 1);
      if (isKept && row.base === "0:" && row.first_key === firstKey && row.generation === log.generation) return false;
    }
    // If retention has removed records, only the row knows the tree they made.
    if (!survey.isWhole)
      throw new Problem(
        "conflict",
        `the row of the log ${log.environment} cannot be made again: retention has removed its first records, so restore a backup`,
      );
    return true;
  });
}

/** Whether the log's own key of that generation has signed the checkpoint. */
function isGenuine({ checkpoint, generation }: LogRow, origin: string, signingKey: KeyObject): boolean {
  const note = parseCheckpoint(String(checkpoint))?.note;
  const { verifier } = deriveNoteSigner(signingKey, origin, Number(generation));
  return note !== undefined && checkNote(ledgerCrypto.verify, note, verifier).verdict === "genuine";
}

function putRow(database: SqlDatabase, signingKey: KeyObject, log: SurveyedLog, isWhole: boolean): void {
  const { environment, tree, keySince } = log;
  const origin = originOf(database, log);
  const held = database
    .prepare("SELECT generation, base, first_key, key_since FROM log WHERE environment = ?")
    .get(environment);
  // Where the beginning is gone, the row is right in all but its tree.
  const generation = isWhole ? log.generation : Number(held!["generation"]);
  const text = formatCheckpoint({ origin, size: tree.size, root: tree.root() });
  const signatures = [deriveNoteSigner(signingKey, origin, generation).sign(text)];
  const base = isWhole ? "0:" : String(held!["base"]);
  const firstKey = isWhole ? keyOf(signingKey, origin, 1) : String(held!["first_key"]);
  database
    .prepare("INSERT OR REPLACE INTO log VALUES (?, ?, ?, ?, ?, ?, ?)")
    .run(
      environment,
      base,
      firstKey,
      formatTreeState(tree.state),
      formatSignedNote({ text, signatures }),
      generation,
      isWhole ? keySince : Number(held!["key_since"]),
    );
}

function originOf(database: SqlDatabase, { environment }: SurveyedLog): string {
  return logOrigin(readMeta(database, "node"), environment);
}

function keyOf(signingKey: KeyObject, origin: string, generation: number): string {
  return formatVerifierKey(deriveNoteSigner(signingKey, origin, generation).verifier);
}
