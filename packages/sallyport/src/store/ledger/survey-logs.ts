/**
 * What the records say of the logs, record by record: the tree of each environment, its keys, and the trees of records
 * whose environment can be none. `audit repair` compares it with what the database keeps.
 */
import {
  emptyTree,
  KEY_CHANGE,
  leafOf,
  MerkleTree,
  parseCheckpoint,
  parseKept,
  parseRecordLine,
  parseTreeState,
  removedLogOf,
} from "@sallyport/ledger";
import { isEnvironmentName } from "@sallyport/protocol";
import type { EnvironmentName } from "@sallyport/protocol";
import { treeHash } from "@sallyport/ledger/node";
import type { LedgerLines } from "./ledger-lines.ts";
import { readCounter } from "../disk/schema.ts";
import type { SqlDatabase } from "../disk/sqlite.ts";

/** A log as the records that are kept say it is. */
export interface SurveyedLog {
  readonly environment: EnvironmentName;
  readonly tree: MerkleTree;
  /** Its newest checkpoint is of this tree. */
  isOfItsTree: boolean;
  /** Of its key: 1, and one more for each change of it. */
  generation: number;
  /** Epoch ms: since when the key signs. */
  keySince: number;
}

export interface LogSurvey {
  readonly logs: ReadonlyMap<EnvironmentName, SurveyedLog>;
  /** By what stands in the records as the environment; the rows of such names are among them, also without records. */
  readonly strays: ReadonlyMap<string, MerkleTree>;
  /** Every record of a log is kept: retention has removed none of them. */
  readonly isWhole: boolean;
}

interface Row {
  readonly environment: string;
  readonly base: string;
  readonly checkpoint: string;
}

export async function surveyLogs(database: SqlDatabase, lines: LedgerLines): Promise<LogSurvey> {
  const from = readCounter(database, "logs_from");
  const rows = database.prepare("SELECT environment, base, checkpoint FROM log").all() as unknown as readonly Row[];
  const names = rows.map(({ environment }) => environment).filter((name) => !isEnvironmentName(name));
  const strays = new Map<string, MerkleTree>(names.map((name) => [name, new MerkleTree(treeHash)]));
  const bases = new Map(rows.map((row) => [row.environment, row]));
  const logs = new Map<EnvironmentName, SurveyedLog>();
  let first = 0;
  for await (const some of lines.once()) {
    for (const { line: kept } of some) {
      const { line } = parseKept(kept);
      const leaf = leafOf(treeHash, kept);
      const record = leaf && leaf.type !== KEY_CHANGE && leaf.type !== "" ? undefined : parseRecordLine(line);
      const seq = leaf?.seq ?? record?.seq ?? 0;
      if (first === 0) first = seq;
      if (seq < from) continue;
      if (!leaf) {
        if (!record) continue;
        const tree = strays.get(record.environment) ?? new MerkleTree(treeHash);
        tree.append(treeHash.leaf(line));
        strays.set(record.environment, tree);
        continue;
      }
      takeRemoval(line, strays);
      const row = bases.get(leaf.environment);
      // Where no record is gone, the tree begins empty, whatever the row says.
      const log = logs.get(leaf.environment) ?? beginLog(leaf.environment, row, first <= from ? "" : (row?.base ?? ""));
      logs.set(leaf.environment, log);
      log.tree.append(leaf.leaf);
      compare(log, row);
      if (record?.type === KEY_CHANGE) {
        log.generation++;
        log.keySince = record.at;
      } else if (log.keySince === 0) log.keySince = timeOf(line);
    }
  }
  return { logs, strays, isWhole: first <= from };
}

function beginLog(environment: EnvironmentName, row: Row | undefined, base: string): SurveyedLog {
  const tree = new MerkleTree(treeHash, parseTreeState(base) ?? emptyTree);
  const log = { environment, tree, isOfItsTree: false, generation: 1, keySince: 0 };
  compare(log, row);
  return log;
}

function compare(log: SurveyedLog, row: Row | undefined): void {
  const checkpoint = parseCheckpoint(row?.checkpoint ?? "");
  if (checkpoint?.size === log.tree.size) log.isOfItsTree = checkpoint.root === log.tree.root();
}

/** What was taken out before stays so. */
function takeRemoval(line: string, strays: Map<string, MerkleTree>): void {
  if (!line.includes('"type":"ledger.log_removed"')) return;
  const record = parseRecordLine(line);
  const removed = record && removedLogOf(record);
  if (removed) strays.delete(removed.log);
}

function timeOf(line: string): number {
  return Number(/"at":(-?\d+)/.exec(line)?.[1] ?? 0);
}
