/**
 * Counts use as records are committed: in memory first, and every few seconds in the database, in one transaction with
 * the number of the last record that was counted. After a kill, the records behind that number are counted again, so
 * that the counters always equal the fold of the audit log.
 */
import { parseKept } from "@sallyport/ledger";
import { UsageFold } from "../../usage/usage-fold.ts";
import { mayCount, readUsage } from "../../usage/usage-record.ts";
import { dayOf, USAGE_DAYS } from "../../usage/usage-row.ts";
import type { UsageCorrection } from "../../usage/usage-difference.ts";
import { readCounter } from "../disk/schema.ts";
import type { SqlDatabase } from "../disk/sqlite.ts";
import type { RecordListener } from "../ledger/ledger-chain.ts";
import { seqOfLine } from "../ledger/segment-file.ts";
import { LedgerWalk } from "../search/ledger-walk.ts";
import { addUsageRows, correctUsageRows, countedModels, endUsageBefore } from "../state/usage-rows.ts";
import { inTransaction } from "./commit-group.ts";

/** Between two writes, in ms. */
const WRITE_MS = 5_000;
/** More rows are written at once, so that neither memory nor one transaction grows without bound. */
const ROWS_MAX = 2_000;
/** Lines that are counted together, at the latest: many at once cost half of what they cost one by one. */
const LINES_MAX = 300;

interface Written {
  readonly seq: number;
  readonly line: string;
}

export interface CountingPorts {
  /** Whether the database may be written now. What is not written stays in memory, and in the audit log. */
  readonly isOpen: () => boolean;
  readonly trouble: (text: string) => void;
}

export class UsageCounting implements RecordListener {
  readonly #database: SqlDatabase;
  readonly #ports: CountingPorts;
  #writing: NodeJS.Timeout | null = null;
  readonly #fold: UsageFold;
  /** Written in the transaction that runs, and not committed. */
  #written: Written[] = [];
  /** Committed, and not counted yet. */
  #committed: string[] = [];
  /** The last record that was committed. */
  #through: number;

  constructor(database: SqlDatabase, ports: CountingPorts) {
    this.#database = database;
    this.#ports = ports;
    this.#through = readCounter(database, "usage_through");
    this.#fold = new UsageFold((day, environment, key) => countedModels(database, day, environment, key));
  }

  written(seq: number, line: string): void {
    if (mayCount(line)) this.#written.push({ seq, line });
  }

  takenBack(afterSeq: number): void {
    while ((this.#written.at(-1)?.seq ?? 0) > afterSeq) this.#written.pop();
  }

  committed(seq: number): void {
    for (const { line } of this.#written) this.#committed.push(line);
    this.#written = [];
    this.#through = Math.max(this.#through, seq);
    if (this.#committed.length >= LINES_MAX) this.#countCommitted();
  }

  /**
   * Counts what was committed and not counted when the last writer ended. `directory`: of the segments; `newest`: the
   * number of the last record.
   */
  catchUp(directory: string, newest: number): void {
    const bounds = { after: this.#through, since: -Infinity, until: Infinity };
    for (const kept of new LedgerWalk(this.#database, directory).oldestFirst(bounds)) {
      const { line } = parseKept(kept);
      if (mayCount(line)) this.#count(line);
      if (this.#fold.size < ROWS_MAX) continue;
      const seq = seqOfLine(line);
      if (seq === undefined) continue;
      this.#through = seq;
      this.write();
    }
    this.#through = Math.max(this.#through, newest);
    this.writeSoon();
  }

  /** What is counted after this call is written with the next one. */
  writeSoon(): void {
    if (this.#fold.size >= ROWS_MAX) this.write();
    if (this.#writing || (this.#fold.size === 0 && this.#committed.length === 0)) return;
    this.#writing = setTimeout(() => {
      this.#writing = null;
      this.write();
      this.writeSoon();
    }, WRITE_MS).unref();
  }

  /** Writes what is counted, and then what a rebuild found. False where that failed: it is still pending. */
  write(corrections: readonly UsageCorrection[] = []): boolean {
    if (!this.#ports.isOpen()) return false;
    this.#countCommitted();
    try {
      if (this.#fold.size > 0)
        this.#inTransaction(() => addUsageRows(this.#database, this.#fold.rows(), this.#through));
      this.#fold.clear();
      if (corrections.length > 0) {
        this.#inTransaction(() => correctUsageRows(this.#database, corrections));
        this.#fold.forgetModels();
      }
      return true;
    } catch (error) {
      this.#ports.trouble(`the usage counters could not be written: ${String(error)}`);
      return false;
    }
  }

  close(): void {
    if (this.#writing) clearTimeout(this.#writing);
    this.write();
  }

  #inTransaction(work: () => void): void {
    inTransaction({ database: this.#database, chain: null }, work);
  }

  /** `now` in epoch ms. */
  endOld(now: number): void {
    endUsageBefore(this.#database, dayOf(now) - USAGE_DAYS + 1);
  }

  #countCommitted(): void {
    const lines = this.#committed;
    this.#committed = [];
    for (const line of lines) this.#count(line);
  }

  #count(line: string): void {
    const increment = readUsage(line);
    if (increment) this.#fold.add(increment);
  }
}
