/**
 * Counts use as records are committed: in memory first, and every few seconds in the database, in one transaction with
 * the number of the last record that was counted. After a kill, the records behind that number are counted again, so
 * that the counters always equal the fold of the audit log. Whatever fails here fails no commit: what was not written is
 * counted again from the audit log.
 */
import { parseKept } from "@sallyport/ledger";
import { UsageFold } from "../../usage/usage-fold.ts";
import { mayCount, readUsage } from "../../usage/usage-record.ts";
import { dayOf, USAGE_DAYS } from "../../usage/usage-row.ts";
import { PermissionUseFold } from "../../usage/permission-use-fold.ts";
import { mayDemand, readDemand } from "../../usage/recorded-demand.ts";
import { NO_CORRECTIONS } from "../../usage/usage-difference.ts";
import type { UsageCorrections } from "../../usage/usage-difference.ts";
import { readCounter } from "../disk/schema.ts";
import type { SqlDatabase } from "../disk/sqlite.ts";
import type { RecordListener } from "../ledger/ledger-chain.ts";
import { seqOfLine } from "../ledger/segment-file.ts";
import { LedgerWalk } from "../search/ledger-walk.ts";
import { addUsageRows, correctUsageRows, countedModels, endUsageBefore } from "../state/usage-rows.ts";
import {
  addPermissionUses,
  correctPermissionUses,
  endPermissionUsesBefore,
  modelsOfPermissionUses,
} from "../state/permission-use-rows.ts";
import { inTransaction } from "./commit-group.ts";

/** Between two writes, in ms. */
const WRITE_MS = 5_000;
/** More rows are written at once, so that neither memory nor one transaction grows without bound. */
const ROWS_MAX = 2_000;
/** Lines that are counted together, at the latest: many at once cost half of what they cost one by one. */
const LINES_MAX = 300;
/** Records that a start reads, at the most, though nothing in them is counted. */
const RECORDS_MAX = 10_000;

interface Written {
  readonly seq: number;
  readonly line: string;
}

export interface CountingPorts {
  /** Of the audit log's segments. */
  readonly directory: string;
  /** Whether the database may be written now. What is not written stays in memory, and in the audit log. */
  readonly isOpen: () => boolean;
  readonly trouble: (text: string) => void;
}

export class UsageCounting implements RecordListener {
  readonly #database: SqlDatabase;
  readonly #ports: CountingPorts;
  #fold: UsageFold;
  #permissions: PermissionUseFold;
  #writing: NodeJS.Timeout | null = null;
  /** Written in the transaction that runs, and not committed. */
  #written: Written[] = [];
  /** Committed, and not counted yet. */
  #committed: string[] = [];
  /** The last record that was committed. */
  #newest = 0;
  /** The last record that the database has counted. */
  #through = 0;
  /** Records that are in the audit log alone have to be counted from there. */
  #isBehind = true;

  constructor(database: SqlDatabase, ports: CountingPorts) {
    this.#database = database;
    this.#ports = ports;
    this.#fold = this.#emptyFold();
    this.#permissions = this.#emptyPermissions();
  }

  written(seq: number, line: string): void {
    if (mayCount(line) || mayDemand(line)) this.#written.push({ seq, line });
  }

  takenBack(afterSeq: number): void {
    while ((this.#written.at(-1)?.seq ?? 0) > afterSeq) this.#written.pop();
  }

  committed(seq: number): void {
    this.#newest = seq;
    if (!this.#isBehind) for (const { line } of this.#written) this.#committed.push(line);
    this.#written = [];
    if (this.#committed.length >= LINES_MAX) this.#attempt(() => this.#countCommitted());
  }

  /** Counts what was committed and not counted when the last writer ended. `newest`: number of the last record. */
  start(newest: number): void {
    this.#newest = newest;
    this.#attempt(() => this.#catchUp());
    this.writeSoon();
  }

  /** What is counted after this call is written with the next one. */
  writeSoon(): void {
    if (this.#rows >= ROWS_MAX) this.write();
    if (this.#writing || !this.#isDue) return;
    this.#writing = setTimeout(() => {
      this.#writing = null;
      this.write();
      this.writeSoon();
    }, WRITE_MS).unref();
  }

  get #rows(): number {
    return this.#fold.size + this.#permissions.size;
  }

  /** There is something to write, or a start would read many records in which nothing is counted. */
  get #isDue(): boolean {
    const isPending = this.#rows > 0 || this.#committed.length > 0 || this.#isBehind;
    return isPending || this.#newest - this.#through >= RECORDS_MAX;
  }

  /** Writes what is counted, and then what a rebuild found. False where that failed: it is done later. */
  write(corrections: UsageCorrections = NO_CORRECTIONS): boolean {
    if (!this.#ports.isOpen()) return false;
    return this.#attempt(() => {
      if (this.#isBehind) this.#catchUp();
      this.#countCommitted();
      this.#writeFold(this.#newest);
      const { usage, permissions } = corrections;
      if (usage.length === 0 && permissions.length === 0) return;
      this.#inTransaction(() => {
        correctUsageRows(this.#database, usage);
        correctPermissionUses(this.#database, permissions);
      });
      this.#fold.forgetModels();
      this.#permissions.forgetModels();
    });
  }

  close(): void {
    if (this.#writing) clearTimeout(this.#writing);
    this.write();
  }

  /** `now` in epoch ms. */
  endOld(now: number): void {
    const firstDay = dayOf(now) - USAGE_DAYS + 1;
    endUsageBefore(this.#database, firstDay);
    endPermissionUsesBefore(this.#database, firstDay);
  }

  /** From the last record that the database has counted. */
  #catchUp(): void {
    this.#through = readCounter(this.#database, "usage_through");
    const walk = new LedgerWalk(this.#database, this.#ports.directory);
    for (const kept of walk.oldestFirst({ after: this.#through, since: -Infinity, until: Infinity })) {
      const { line } = parseKept(kept);
      this.#count(line);
      if (this.#rows < ROWS_MAX) continue;
      const seq = seqOfLine(line);
      if (seq !== undefined && this.#ports.isOpen()) this.#writeFold(seq);
    }
    this.#isBehind = false;
  }

  #countCommitted(): void {
    for (const line of this.#committed) this.#count(line);
    this.#committed = [];
  }

  #count(line: string): void {
    const increment = readUsage(line);
    if (increment) this.#fold.add(increment);
    const demand = readDemand(line);
    if (demand) this.#permissions.add(demand);
  }

  #writeFold(through: number): void {
    if (through === this.#through) return;
    this.#inTransaction(() => {
      addUsageRows(this.#database, this.#fold.rows(), through);
      addPermissionUses(this.#database, this.#permissions.rows());
    });
    this.#through = through;
    this.#fold.clear();
    this.#permissions.clear();
  }

  /** What is in memory may be half of the truth after a failure, so it is given up and read again. */
  #attempt(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      this.#fold = this.#emptyFold();
      this.#permissions = this.#emptyPermissions();
      this.#committed = [];
      this.#isBehind = true;
      this.#ports.trouble(`usage could not be counted, and is counted again later: ${String(error)}`);
      return false;
    }
  }

  #emptyFold(): UsageFold {
    return new UsageFold((day, environment, key) => countedModels(this.#database, day, environment, key));
  }

  #emptyPermissions(): PermissionUseFold {
    return new PermissionUseFold((day, environment, key) =>
      modelsOfPermissionUses(this.#database, day, environment, key),
    );
  }

  #inTransaction(work: () => void): void {
    inTransaction({ database: this.#database, chain: null }, work);
  }
}
