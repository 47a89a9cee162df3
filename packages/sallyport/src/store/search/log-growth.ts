/**
 * The proof that a log's newest checkpoint goes on from an older one. The first walks the log from its first kept record;
 * with the mark of one before, only what came since is read.
 */
import { setImmediate as turn } from "node:timers/promises";
import { consistencyRanges, emptyTree, leafOf, MerkleTree, parseCheckpoint, RangeHashes } from "@sallyport/ledger";
import { isEnvironmentName, Problem } from "@sallyport/protocol";
import type { LogsStart, TreeState } from "@sallyport/ledger";
import type { EnvironmentName } from "@sallyport/protocol";
import type { DataPaths } from "../disk/data-paths.ts";
import { treeHash } from "@sallyport/ledger/node";
import { LedgerLines } from "../ledger/ledger-lines.ts";
import { LedgerWalk } from "./ledger-walk.ts";
import type { SqlDatabase } from "../disk/sqlite.ts";

/** Others may ask the same thread. */
const LINES_PER_TURN = 500;

/** A log as it was after the record with this number. */
export interface GrowthMark {
  readonly seq: number;
  readonly tree: TreeState;
}

export interface GrowthQuestion {
  readonly environment: string;
  /** What is known already; 0 = nothing. */
  readonly size: number;
  readonly mark?: GrowthMark | undefined;
}

export interface LogGrowth {
  readonly checkpoint: string;
  readonly path: readonly string[];
  /** For the next question. */
  readonly mark: GrowthMark;
}

/** Throws `not_found` where there is no such log, `conflict` where it is shorter, `store_unavailable` where it is damaged. */
export async function proveLogGrowth(
  database: SqlDatabase,
  paths: DataPaths,
  { environment, size, mark }: GrowthQuestion,
): Promise<LogGrowth> {
  const logs = new LedgerLines(database, paths).start();
  const checkpoint = isEnvironmentName(environment) ? logs.checkpoints.get(environment) : undefined;
  const signed = parseCheckpoint(checkpoint ?? "");
  if (!isEnvironmentName(environment) || checkpoint === undefined || !signed)
    throw new Problem("not_found", `there is no log of ${environment}`);
  if (size > signed.size)
    throw new Problem(
      "conflict",
      `the log of ${environment} has ${signed.size} records, fewer than ${size}: it was rolled back`,
    );
  const start = startOf(logs, environment);
  if (size > 0 && size < start.tree.size)
    throw new Problem(
      "conflict",
      `retention has removed ${start.tree.size} records, and the witness knows only ${size}: it has to start again`,
    );
  const ask = { environment, size, to: signed.size };
  const quick = mark && mark.tree.size <= (size || signed.size) ? await walk(database, paths, ask, mark) : undefined;
  // A mark that does not lead there is of a log that is no more: what is on disk counts.
  if (quick?.root === signed.root) return { checkpoint, ...quick };
  const whole = await walk(database, paths, ask, start);
  if (whole?.root === signed.root) return { checkpoint, ...whole };
  throw new Problem("store_unavailable", "the log does not lead to its checkpoint: run 'sallyport audit verify'");
}

function startOf({ from, bases }: LogsStart, environment: EnvironmentName): GrowthMark {
  return { seq: from - 1, tree: bases.get(environment) ?? emptyTree };
}

/** Undefined where the log ends before the checkpoint's size. */
async function walk(
  database: SqlDatabase,
  paths: DataPaths,
  { environment, size, to }: { readonly environment: string; readonly size: number; readonly to: number },
  start: GrowthMark,
): Promise<(Omit<LogGrowth, "checkpoint"> & { readonly root: string }) | undefined> {
  const sums = new RangeHashes(treeHash, size === 0 ? [] : consistencyRanges(size, to), start.tree);
  const tree = new MerkleTree(treeHash, start.tree);
  const lines = new LedgerWalk(database, paths.ledger).oldestFirst({
    after: start.seq,
    since: -Infinity,
    until: Infinity,
  });
  let { seq } = start;
  let count = 0;
  for (const kept of lines) {
    if (tree.size >= to) break;
    if (++count % LINES_PER_TURN === 0) await turn();
    const found = leafOf(treeHash, kept);
    if (found?.environment !== environment) continue;
    tree.append(found.leaf);
    sums.append(found.leaf);
    seq = found.seq;
  }
  const path = sums.hashes;
  return tree.size === to && path ? { path, root: tree.root(), mark: { seq, tree: tree.state } } : undefined;
}
