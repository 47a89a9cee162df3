/**
 * The writer: owns the only writing connection and commits in natural groups. Whatever came while the last commit ran
 * goes into the next; administrative changes go first. The settled message of a group is its acknowledgement.
 */
import { parseSignedHead } from "@sallyport/ledger";
import { Problem } from "@sallyport/protocol";
import { systemCodeOf } from "../../kernel/system-code.ts";
import { ClockAgreement } from "../../kernel/clock-agreement.ts";
import type { Ticket } from "../../audit/recorder.ts";
import { ChangeParts } from "./change-parts.ts";
import { commitGroup, inTransaction } from "./commit-group.ts";
import type { GroupParts } from "./commit-group.ts";
import { dataPaths } from "../disk/data-paths.ts";
import { DiskReserve } from "../disk/disk-reserve.ts";
import type { Disk } from "../disk/disk-reserve.ts";
import type { KeyUse } from "../../keys/use-record.ts";
import { makeMergeUses } from "../state/key-uses.ts";
import { maySpendReserve } from "./writer-messages.ts";
import { LedgerChain } from "../ledger/ledger-chain.ts";
import { CHECKPOINT_MS } from "../ledger/ledger-logs.ts";
import { makeApplyOperation, makeReadKeysBack } from "../state/operations.ts";
import { checkSchema, readMeta } from "../disk/schema.ts";
import { OpenFiles } from "../disk/open-files.ts";
import { PersonalEraser } from "./personal-eraser.ts";
import { RecordEnder } from "./record-ender.ts";
import { RowBinding } from "../state/row-binding.ts";
import { SegmentWriter } from "./segment-writer.ts";
import { openSigner } from "../secrets/signing-key.ts";
import { openDatabase, SQLITE_FULL, sqliteCode } from "../disk/sqlite.ts";
import type { SqlDatabase } from "../disk/sqlite.ts";
import { UsageCounting } from "./usage-counting.ts";
import type { ChangeResult, EncodedChange, FromWriter, ToWriter, WriterSetup } from "./writer-messages.ts";

export interface WriterPorts extends Disk {
  readonly post: (message: FromWriter) => void;
  /** Monotonic milliseconds, to say how long commits take. */
  readonly monotonic: () => number;
  /** Bound on the database's pages while the reserve is held; null = the disk's own. */
  readonly maxPages: () => number | null;
}

/** Most lines in one transaction, so that a change never waits behind a long one. */
const GROUP_LINES_MAX = 4_096;
/** Between two looks at what is too old, in ms of the program's own clock. */
const CARE_MS = 86_400_000;
/** After a rotation that failed, this many more records before it is tried again. */
const ROTATION_PATIENCE = 1_000;

export class Writer {
  readonly #ports: WriterPorts;
  readonly #setup: WriterSetup;
  readonly #database: SqlDatabase;
  readonly #parts: GroupParts;
  readonly #merge: (uses: readonly KeyUse[]) => void;
  readonly #segments: SegmentWriter;
  readonly #eraser: PersonalEraser;
  readonly #ender: RecordEnder;
  readonly #reserve: DiskReserve;
  readonly #usage: UsageCounting;
  #changes: EncodedChange[] = [];
  readonly #changeParts = new ChangeParts();
  #lines: string[] = [];
  #through: Ticket = 0;
  #now: number;
  #isOpen = true;
  #isScheduled = false;
  #records = 0;
  /** No rotation before the audit log is this long. */
  #rotateFrom = 0;
  /** When retention was last looked at, epoch ms. */
  #caredAt = 0;
  #sealing: NodeJS.Timeout | null = null;
  #housekeeping: Promise<void> | null = null;
  readonly #clocks: ClockAgreement;
  readonly #files: OpenFiles;
  /** When the newest commit before the start was made, epoch ms; null without one. */
  readonly headAt: number | null;

  /** Opens the database; throws `store_unavailable` where it is not to be trusted or not to be opened. */
  constructor(setup: WriterSetup, ports: WriterPorts) {
    const paths = dataPaths(setup.directory);
    this.#setup = setup;
    this.#ports = ports;
    this.#now = setup.now;
    const database = openDatabase(paths.database, { isReadOnly: false });
    checkSchema(database);
    // What is deleted or erased leaves no remains in the file: addresses have an end.
    database.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864; PRAGMA busy_timeout = 0; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY",
    );
    this.#database = database;
    this.#merge = makeMergeUses(database);
    this.#usage = new UsageCounting(database, {
      directory: paths.ledger,
      // A full disk keeps its last room for revocations.
      isOpen: () => this.#isOpen,
      trouble: (text) => ports.post({ kind: "trouble", text }),
    });
    this.#parts = {
      database,
      chain: new LedgerChain(
        database,
        openSigner(paths, setup.signingKey),
        setup.signingKey,
        new RowBinding(database, setup.signingKey),
        this.#usage,
      ),
      apply: makeApplyOperation(database),
      keysOf: makeReadKeysBack(database),
    };
    this.#eraser = new PersonalEraser(this.#parts, paths, setup.ledger);
    this.#ender = new RecordEnder(this.#parts, paths, setup.ledger);
    this.#segments = new SegmentWriter(this.#parts, paths, setup.ledger, setup.segmentRecords);
    this.#reserve = new DiskReserve(paths.reserve, setup.directory, setup.ledger.reserveBytes, ports);
    this.#isOpen = this.#reserve.tryHold();
    this.#boundPages();
    this.#files = new OpenFiles(paths.database);
    this.headAt = headTimeOf(database);
    const clock = { now: () => this.#now, monotonic: ports.monotonic };
    this.#clocks = new ClockAgreement(clock, this.headAt, setup.clockPatienceMs);
  }

  /** Puts right what a kill left half done, and applies retention. Resolves when commits may begin. */
  async start(): Promise<void> {
    await this.#keepHouse(async () => {
      await this.#segments.tidy();
      await this.#segments.rotate();
    });
    this.#records = this.#parts.chain.seq;
    // Before retention, which may remove what is not counted yet.
    this.#usage.start(this.#records);
    // The server's inactivity policy asks the same, and logs it.
    if (!this.#clocks.isReached()) return;
    this.#caredAt = this.#now;
    // Commits need not wait for it.
    this.#housekeeping = this.#keepHouse(async () => {
      await this.#retain();
      await this.#eraser.erase(this.#now);
      await this.#ender.end(this.#now);
      this.#usage.endOld(this.#now);
    }).finally(() => {
      this.#housekeeping = null;
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Records since the ledger's beginning, as of the last commit that succeeded. */
  get records(): number {
    return this.#records;
  }

  take(message: Exclude<ToWriter, { kind: "close" }>): void {
    this.#now = message.now;
    if (message.kind === "uses") return this.#mergeUses(message.uses);
    if (message.kind === "count") return this.#count(message);
    if (message.kind === "part") return this.#changeParts.add(message.part);
    if (message.kind === "change") this.#changes.push(this.#changeParts.whole(message.change));
    else for (const line of message.joined.split("\n")) this.#lines.push(line);
    this.#schedule();
  }

  /**
   * Between two commits. What a full disk loses here is when a key was last used, and its next use records that again.
   */
  #mergeUses(uses: readonly KeyUse[]): void {
    try {
      this.#merge(uses);
    } catch (error) {
      this.#ports.post({ kind: "trouble", text: `the last uses of keys could not be written: ${String(error)}` });
    }
  }

  #count({ id, corrections }: Extract<ToWriter, { kind: "count" }>): void {
    this.#commitAll();
    this.#ports.post({ kind: "counted", id, isDone: this.#usage.write(corrections) });
  }

  #commitAll(): void {
    while (this.#changes.length > 0 || this.#lines.length > 0) this.#commit();
  }

  /** Commits what is queued, ends what is under way, closes the files. */
  async close(): Promise<void> {
    this.#commitAll();
    await this.#housekeeping;
    this.#usage.close();
    this.#sealLogs();
    // The reader's connection may still be open, and a read-only one does not fold the log in when it closes.
    this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    this.#database.close();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // After the messages that are waiting now, so that they share the transaction.
    setImmediate(() => {
      this.#isScheduled = false;
      this.#commit();
      if (this.#lines.length > 0 || this.#changes.length > 0) this.#schedule();
    });
  }

  #commit(): void {
    const changes = this.#changes;
    this.#changes = [];
    const lines = this.#lines.splice(0, GROUP_LINES_MAX);
    if (changes.length === 0 && lines.length === 0) return;
    this.#through += lines.length;

    const startedMs = this.#ports.monotonic();
    const isLean = !this.#holdReserve();
    let isOnDisk = !isLean;
    let tried = isLean ? changes.filter(maySpendReserve) : changes;
    let ended = this.#try(tried, isLean ? [] : lines);
    if (ended === "full" && !isLean) {
      // The disk is full: the reserve is released for revocations, other lines fail until there is room again.
      this.#reserve.release();
      this.#boundPages();
      isOnDisk = false;
      tried = changes.filter(maySpendReserve);
      ended = tried.length > 0 ? this.#try(tried, []) : "full";
    }
    const results = typeof ended === "string" ? undefined : ended;
    // A group whose changes were all rejected has proved nothing about the disk.
    const hasWritten = results && ((isOnDisk && lines.length > 0) || results.some((result) => "epoch" in result));
    if (!results || !this.#reserve.isHeld) this.#isOpen = false;
    else if (hasWritten) this.#isOpen = true;
    this.#ports.post({
      kind: "settled",
      lines: lines.length > 0 ? { through: this.#through, isOnDisk: isOnDisk && results !== undefined } : null,
      changes: answersTo(changes, tried, results),
      isOpen: this.#isOpen,
      takesChanges: this.#isOpen || this.#takesChanges(tried, results),
      commitMs: this.#ports.monotonic() - startedMs,
      records: this.records,
    });
    if (results) {
      this.#rotateWhenDue();
      this.#sealSoon();
      this.#usage.writeSoon();
    }
  }

  /**
   * Whether a revocation would be committed now. What cannot be revoked must not run, so where no change has just shown it
   * the disk is asked: with a transaction that changes nothing, and with the room that a revocation takes.
   */
  #takesChanges(tried: readonly EncodedChange[], results: readonly ChangeResult[] | undefined): boolean {
    if ((tried.length > 0 && !results) || this.#files.replaced() !== undefined) return false;
    if (results?.some((result) => "epoch" in result)) return true;
    try {
      if (this.#ports.freeBytes(this.#setup.directory) < Math.min(REVOCATION_BYTES, this.#setup.ledger.reserveBytes))
        return false;
      inTransaction(this.#parts, () => this.#database.exec("UPDATE meta SET value = value WHERE name = 'epoch'"));
      return true;
    } catch {
      return false;
    }
  }

  /** What comes last is covered by a checkpoint as well, a little later. */
  #sealSoon(): void {
    if (this.#sealing || !this.#parts.chain.isBehind) return;
    this.#sealing = setTimeout(() => this.#sealLogs(), CHECKPOINT_MS).unref();
  }

  #sealLogs(): void {
    if (this.#sealing) clearTimeout(this.#sealing);
    this.#sealing = null;
    if (!this.#parts.chain.isBehind || !this.#isOpen) return;
    try {
      inTransaction(this.#parts, () => this.#parts.chain.sealLogs(this.#now));
    } catch (error) {
      this.#ports.post({ kind: "trouble", text: `checkpoints could not be signed: ${String(error)}` });
    }
  }

  /** The results of the changes, or what kept the group from being committed. */
  #try(changes: readonly EncodedChange[], lines: readonly string[]): readonly ChangeResult[] | "full" | "failed" {
    if (changes.length === 0 && lines.length === 0) return [];
    const replaced = this.#files.replaced();
    if (replaced !== undefined) {
      const text = `nothing is committed any more: ${replaced} was deleted or replaced while the gateway runs; restart it`;
      this.#ports.post({ kind: "trouble", text });
      return "failed";
    }
    try {
      const results = commitGroup(this.#parts, { changes, lines, now: this.#now });
      this.#records = this.#parts.chain.seq;
      return results;
    } catch (error) {
      this.#ports.post({ kind: "trouble", text: `a commit failed: ${String(error)}` });
      return isDiskFull(error) ? "full" : "failed";
    }
  }

  /** Whether the reserve is there; where it was given up, makes it again as soon as there is room. */
  #holdReserve(): boolean {
    if (this.#reserve.isHeld) return true;
    const isHeld = this.#reserve.tryHold();
    this.#boundPages();
    return isHeld;
  }

  #boundPages(): void {
    const pages = this.#ports.maxPages();
    if (pages === null) return;
    const spare = this.#reserve.isHeld ? 0 : Math.ceil(this.#setup.ledger.reserveBytes / 4096);
    this.#database.exec(`PRAGMA max_page_count = ${pages + spare}`);
  }

  #rotateWhenDue(): void {
    if (this.#housekeeping || !this.#isOpen || this.#parts.chain.seq < this.#rotateFrom) return;
    // What is erased is gone: not by a clock that was just set.
    const isDue = this.#now - this.#caredAt >= CARE_MS && this.#clocks.isReached();
    if (isDue) this.#caredAt = this.#now;
    this.#housekeeping = this.#keepHouse(async () => {
      const isOver = this.#segments.excess > 0;
      if (isOver) await this.#segments.rotate();
      if ((isOver && this.#clocks.isReached()) || isDue) await this.#retain();
      if (isDue) await this.#eraser.erase(this.#now);
      if (isDue) await this.#ender.end(this.#now);
      if (isDue) this.#usage.endOld(this.#now);
    }).finally(() => {
      this.#housekeeping = null;
    });
  }

  /** What is many ends first; only then does a segment go, with the acts in it. */
  async #retain(): Promise<void> {
    await this.#ender.makeRoom(this.#now);
    this.#segments.retain(this.#now);
  }

  /** Rotation and retention may fail without harm: the records stay where they are and it is tried again later. */
  async #keepHouse(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#rotateFrom = this.#parts.chain.seq + ROTATION_PATIENCE;
      this.#ports.post({ kind: "trouble", text: `rotation or retention of the audit log failed: ${String(error)}` });
    }
  }
}

/** Room for one revocation with its record: some pages of the database and of its write-ahead log. */
const REVOCATION_BYTES = 256 * 1024;

/** The results of those that were tried; the others wait for room. */
function answersTo(
  changes: readonly EncodedChange[],
  tried: readonly EncodedChange[],
  results: readonly ChangeResult[] | undefined,
): ChangeResult[] {
  const byId = new Map(results?.map((result) => [result.id, result]));
  return changes.map(
    (change) => byId.get(change.id) ?? { id: change.id, problem: tried.includes(change) ? UNAVAILABLE : RESERVED },
  );
}

function headTimeOf(database: SqlDatabase): number | null {
  const head = readMeta(database, "head");
  return head === undefined || head === "" ? null : (parseSignedHead(head)?.at ?? null);
}

const RESERVED = {
  code: "store_unavailable",
  detail: "the disk is full: until there is room, only what takes rights away is accepted",
} as const;
const UNAVAILABLE = { code: "store_unavailable", detail: "the change could not be written" } as const;

function isDiskFull(error: unknown): boolean {
  if (error instanceof Problem) return false;
  return sqliteCode(error) === SQLITE_FULL || systemCodeOf(error) === "ENOSPC";
}
