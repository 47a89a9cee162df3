/**
 * Where logs begin whose first records retention has removed: the trees as they were before the first kept record, so
 * that the rest still leads to the signed roots, and each log's key of that time.
 */
import {
  emptyTree,
  formatTreeState,
  KEY_CHANGE,
  leafOf,
  MerkleTree,
  parseRecordLine,
  parseTreeState,
} from "@sallyport/ledger";
import { treeHash } from "@sallyport/ledger/node";
import { readCounter } from "../disk/schema.ts";
import type { SqlDatabase } from "../disk/sqlite.ts";

interface Base {
  readonly tree: MerkleTree;
  firstKey: string;
}

/** The bases after the records of `lines` below `keep`; gives what writes them down, inside the caller's transaction. */
export function advanceLogBases(database: SqlDatabase, lines: Iterable<string>, keep: number): () => void {
  const from = readCounter(database, "logs_from");
  const bases = new Map<string, Base>();
  for (const row of database.prepare("SELECT environment, base, first_key FROM log").all()) {
    const state = parseTreeState(String(row["base"])) ?? emptyTree;
    bases.set(String(row["environment"]), {
      tree: new MerkleTree(treeHash, state),
      firstKey: String(row["first_key"]),
    });
  }
  for (const kept of lines) {
    const found = leafOf(treeHash, kept);
    if (!found || found.seq < from || found.seq >= keep) continue;
    const { environment, type, line, leaf } = found;
    const base = bases.get(environment);
    if (!base) continue;
    base.tree.append(leaf);
    const newKey = type === KEY_CHANGE ? parseRecordLine(line)?.fields["new_key"] : undefined;
    if (typeof newKey === "string") base.firstKey = newKey;
  }
  return () => {
    const update = database.prepare("UPDATE log SET base = ?, first_key = ? WHERE environment = ?");
    for (const [environment, { tree, firstKey }] of bases)
      update.run(formatTreeState(tree.state), firstKey, environment);
    const put = database.prepare("UPDATE meta SET value = ? WHERE name = 'logs_from'");
    put.run(String(Math.max(from, keep)));
  };
}
