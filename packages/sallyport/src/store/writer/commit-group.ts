/**
 * One transaction: administrative changes first, then ledger lines, then the signed head. A rejected change is undone
 * to its savepoint and leaves the others alone; any other failure undoes the whole group.
 */
import { Problem } from "@sallyport/protocol";
import { demandKnown } from "../../changes/change.ts";
import type { ApplyOperation, ReadKeysBack } from "../state/operations.ts";
import type { LedgerChain } from "../ledger/ledger-chain.ts";
import { readCounter } from "../disk/schema.ts";
import { sqliteCode } from "../disk/sqlite.ts";
import type { SqlDatabase } from "../disk/sqlite.ts";
import { readDeployment, writeLogHead } from "../state/replica-place.ts";
import type { ChangeResult, EncodedChange, LogStep, SaidProblem } from "./writer-messages.ts";

export interface Group {
  readonly changes: readonly EncodedChange[];
  /** Event texts, in order. */
  readonly lines: readonly string[];
  /** Epoch ms. */
  readonly now: number;
}

export interface GroupParts {
  readonly database: SqlDatabase;
  readonly chain: LedgerChain;
  readonly apply: ApplyOperation;
  readonly keysOf: ReadKeysBack;
}

/**
 * Commits the group; the result contains each change's rejection. Throws the error of the disk or the database, with
 * nothing written.
 */
export function commitGroup(parts: GroupParts, { changes, lines, now }: Group): readonly ChangeResult[] {
  const { chain } = parts;
  return inTransaction(parts, () => {
    const before = chain.seq;
    const results = changes.map((change) => applyChange(parts, change));
    for (const line of lines) chain.appendLine(line);
    if (chain.seq > before) chain.seal(now);
    return results;
  });
}

/**
 * Runs `work` in a transaction. If it throws, nothing is written, and the chain reads its head again before the next.
 */
export function inTransaction<T>(
  { database, chain }: Pick<GroupParts, "database"> & { readonly chain: LedgerChain | null },
  work: () => T,
): T {
  chain?.refresh();
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    chain?.committed();
    return result;
  } catch (error) {
    try {
      database.exec("ROLLBACK");
    } catch {
      // Some errors (a full disk among them) have ended the transaction already.
    }
    chain?.distrust();
    throw error;
  }
}

function applyChange({ database, chain, apply, keysOf }: GroupParts, change: EncodedChange): ChangeResult {
  const point = chain.point;
  database.exec("SAVEPOINT change");
  try {
    const epoch = readCounter(database, "epoch");
    if (change.expectEpoch !== null && change.expectEpoch !== epoch) {
      throw new Problem("conflict", `the policy is at epoch ${epoch} by now, not ${change.expectEpoch}`);
    }
    demandKnown(change, change.operations);
    if (change.operations.length > 0) demandLogged(database, epoch, change.log);
    for (const operation of change.operations) apply(operation);
    const removed = new Set(
      change.operations.flatMap((operation) => (operation.op === "environment.remove" ? [operation.name] : [])),
    );
    for (const event of change.events) chain.append(event, removed);
    // What only adds records changes no policy: denied admin calls must not invalidate every plan.
    const next = change.operations.length > 0 ? epoch + 1 : epoch;
    if (change.log?.kind === "judge") {
      database.exec("ROLLBACK TO change; RELEASE change");
      chain.rewind(point);
      return { id: change.id, isJudged: true };
    }
    if (next !== epoch) database.prepare("UPDATE meta SET value = ? WHERE name = 'epoch'").run(String(next));
    if (change.log) writeLogHead(database, change.log.head);
    database.exec("RELEASE change");
    return { id: change.id, epoch: next, seq: chain.seq, keys: keysOf(change.operations) };
  } catch (error) {
    const problem = refusalOf(error);
    if (!problem) throw error;
    database.exec("ROLLBACK TO change; RELEASE change");
    chain.rewind(point);
    return { id: change.id, problem };
  }
}

/** A replica takes changes from the log only, in its order: any other would make it differ from the other machines. */
function demandLogged(database: SqlDatabase, epoch: number, log: LogStep | null): void {
  const deployment = readDeployment(database);
  if (deployment === undefined && log === null) return;
  if (deployment === undefined) throw new Problem("log_foreign", "this data directory belongs to no deployment");
  if (log === null) throw new Problem("log_required");
  if (log.kind === "apply" && log.epoch !== epoch + 1)
    throw new Problem("conflict", `the replica is at epoch ${epoch}: epoch ${log.epoch} cannot follow`);
}

const SQLITE_TOOBIG = 18;
const SQLITE_CONSTRAINT = 19;
const SQLITE_MISMATCH = 20;
const SQLITE_RANGE = 25;

/** The mistake of the change itself; undefined if the store failed. */
function refusalOf(error: unknown): SaidProblem | undefined {
  if (error instanceof Problem) return { code: error.code, detail: error.message };
  const code = sqliteCode(error);
  if (code === undefined || [SQLITE_TOOBIG, SQLITE_CONSTRAINT, SQLITE_MISMATCH, SQLITE_RANGE].includes(code)) {
    return { code: "fault", detail: "the change holds a value the store cannot keep" };
  }
  return undefined;
}
