/** The writer as the request's thread sees it: appends without waiting, hears in groups what is on disk. */
import { Worker } from "node:worker_threads";
import { encodeEvent } from "@sallyport/ledger";
import { Problem } from "@sallyport/protocol";
import { CHANGE_VERSION } from "../../changes/change.ts";
import type { Change, Origin } from "../../changes/change.ts";
import type { ChangeWriter } from "../../changes/feed.ts";
import { imagesOf } from "../../changes/image.ts";
import type { Committed } from "../../changes/image.ts";
import type { LedgerAppender, Ticket } from "../../audit/recorder.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { KeyUse } from "../../keys/use-record.ts";
import { NO_CORRECTIONS } from "../../usage/usage-difference.ts";
import type { UsageCorrections } from "../../usage/usage-difference.ts";
import type { LedgerFigures } from "../ports.ts";
import { VERSION } from "../../version.ts";
import { needsParts, postParts } from "./change-parts.ts";
import type { LogPosition } from "../state/replica-place.ts";
import { TicketBook } from "./ticket-book.ts";
import type { ChangeResult, FromWriter, LogStep, SaidProblem, ToWriter, WriterSetup } from "./writer-messages.ts";

/** Entry of the writer's thread: beside this file, in the built program, too. */
export const WRITER_THREAD = new URL("./writer-thread.js", import.meta.url);

export interface WriterLinkSetup {
  readonly url: URL;
  readonly writer: WriterSetup;
  readonly clock: Clock;
  /** Bounds of what waits for the writer. */
  readonly queueMax: { readonly lines: number; readonly bytes: number };
  readonly onTrouble: (text: string) => void;
}

/** Batches the writer may have at once: one it commits and one that waits for it. Whatever comes meanwhile is one batch. */
const IN_FLIGHT_MAX = 2;
/**
 * While lines come faster than one in BUSY_GAP_MS, batches keep this distance: a message to the thread and a commit
 * cost more than the lines in them, and the model works meanwhile. A single line never waits for others.
 */
const WINDOW_MS = 16;
const BUSY_GAP_MS = 3;
/** And the first line of a batch waits so long for others: bursts are asked together, and a commit costs more than fifty lines. */
const GATHER_MS = 8;
/** The distance if a response already waits for a line that was not sent yet. */
const HURRY_MS = 4;
/** Weight of the newest gap in the running mean: small enough that the pause between two bursts is no quiet time. */
const GAP_WEIGHT = 1 / 32;
const GAP_MAX_MS = 1_000;
/** How long an unawaited line may wait for others. */
const LAZY_MS = 100;

/** Who writes changes here. */
const ORIGIN = { version: CHANGE_VERSION, program: `sallyport/${VERSION}` };

/** While the store is down, one line a second is let through to find out whether it still is. */
const PROBE_EVERY_MS = 1_000;

interface Waiting {
  readonly change: Change;
  /** Null where the change was only judged. */
  readonly resolve: (committed: Committed | null) => void;
  readonly reject: (problem: Problem) => void;
}

export class WriterLink implements ChangeWriter, LedgerAppender {
  readonly #worker: Worker;
  readonly #setup: WriterLinkSetup;
  readonly #tickets = new TicketBook();
  readonly #changes = new Map<number, Waiting>();
  /** Sizes of what was sent, to know how many bytes wait, and since when (monotonic ms). */
  readonly #sent: { readonly through: Ticket; readonly bytes: number; readonly atMs: number }[] = [];
  #batch: string[] = [];
  #batchFirst: Ticket = 0;
  #batchBytes = 0;
  #batchAtMs = 0;
  #isSoon = false;
  #isHurried = false;
  #soon: NodeJS.Timeout | undefined;
  #lastSentMs = -Infinity;
  #lastAwaitedMs = -Infinity;
  #meanGapMs = GAP_MAX_MS;
  #isDue = false;
  #lazy: NodeJS.Timeout | undefined;
  #waitingBytes = 0;
  #lastChange = 0;
  readonly #countings = new Map<number, (isDone: boolean) => void>();
  #lastCounting = 0;
  #lastProbeMs = -Infinity;
  #state: "starting" | "running" | "closing" | "dead" = "starting";
  /** Epoch ms of the newest earlier commit; null without one. */
  headAt: number | null = null;
  #isOpen = true;
  #takesChanges = true;
  /** Records that were lost since the last one that says so, epoch ms of the first and the last. */
  #lost = { records: 0, from: 0, to: 0 };
  readonly #counts = { commits: 0, commitMs: 0, lastCommitMs: 0, refusedLines: 0, records: 0 };
  readonly #ended: Promise<void>;
  readonly #ready: Promise<void>;
  #onReady: (problem?: SaidProblem) => void = () => {};

  constructor(setup: WriterLinkSetup) {
    this.#setup = setup;
    this.#worker = new Worker(setup.url, { workerData: setup.writer });
    this.#ready = new Promise((resolve, reject) => {
      this.#onReady = (problem) => (problem ? reject(new Problem(problem.code, problem.detail)) : resolve());
    });
    this.#ended = new Promise((resolve) => {
      this.#worker.once("exit", () => {
        this.#die("the writer has ended");
        resolve();
      });
    });
    this.#worker.on("message", (message: FromWriter) => this.#hear(message));
    this.#worker.on("error", (error) => this.#die(`the writer broke: ${String(error)}`));
  }

  /** Resolves when commits may begin; rejects with why the store cannot be opened. */
  ready(): Promise<void> {
    return this.#ready;
  }

  get isWritable(): boolean {
    return this.#state === "running" && this.#isOpen;
  }

  get takesChanges(): boolean {
    return this.#state === "running" && this.#takesChanges;
  }

  figures(): LedgerFigures {
    const oldestAtMs = this.#sent[0]?.atMs ?? (this.#batch.length > 0 ? this.#batchAtMs : null);
    return {
      ...this.#counts,
      pendingLines: this.#tickets.open,
      pendingBytes: this.#waitingBytes,
      oldestPendingMs: oldestAtMs === null ? 0 : this.#setup.clock.monotonic() - oldestAtMs,
    };
  }

  append(line: string, isAwaited = true): Ticket | undefined {
    if (this.#state !== "running") return undefined;
    const { lines, bytes } = this.#setup.queueMax;
    if (this.#tickets.open >= lines || this.#waitingBytes + line.length > bytes) return this.#lose(1);
    if (!this.#isOpen && !this.#mayProbe()) return this.#lose(1);
    const ticket = this.#tickets.next();
    if (this.#batch.length === 0) {
      this.#batchFirst = ticket;
      this.#batchAtMs = this.#setup.clock.monotonic();
    }
    if (isAwaited) {
      this.#noteAwaited();
      this.#sendSoon();
    } else this.#lazy ??= setTimeout(this.#sendDue, LAZY_MS).unref();
    this.#batch.push(line);
    this.#batchBytes += line.length;
    this.#waitingBytes += line.length;
    return ticket;
  }

  isDurable(ticket: Ticket): boolean {
    return this.#tickets.isDurable(ticket);
  }

  whenDurable(ticket: Ticket, then: (isOnDisk: boolean) => void): void {
    this.#tickets.whenDurable(ticket, then);
    if (this.#batch.length > 0 && ticket >= this.#batchFirst) this.#hurry();
  }

  async change(change: Change): Promise<Committed> {
    return (await this.#send(change, null))!;
  }

  /** Resolves if the change would be accepted now; nothing is written. Rejects as `change()`. */
  async judge(change: Change): Promise<void> {
    await this.#send(change, { kind: "judge" });
  }

  /** A change that is in the log of changes already, written by `origin`. */
  async apply(change: Change, position: LogPosition, origin: Origin = ORIGIN): Promise<Committed> {
    return (await this.#send(change, { kind: "apply", ...position }, origin))!;
  }

  async #send(change: Change, log: LogStep | null, origin: Origin = ORIGIN): Promise<Committed | null> {
    this.#demandRunning();
    const id = ++this.#lastChange;
    const { operations, expectEpoch = null, isNarrowing = false } = change;
    const last = needsParts(change)
      ? await postParts(id, change, (part) => {
          this.#demandRunning();
          this.#post({ kind: "part", part, now: this.#setup.clock.now() });
        })
      : { id, operations, events: change.events.map(encodeEvent) };
    this.#demandRunning();
    return new Promise((resolve, reject) => {
      this.#post({
        kind: "change",
        change: { ...origin, ...last, expectEpoch, isNarrowing, log },
        now: this.#setup.clock.now(),
      });
      this.#changes.set(id, { change, resolve, reject });
    });
  }

  #demandRunning(): void {
    if (this.#state !== "running") throw new Problem("store_unavailable", "the store is closed");
  }

  /** Not waited for by anybody: a kill loses some seconds of uses. */
  noteUses(uses: readonly KeyUse[]): void {
    if (this.#state === "running") this.#post({ kind: "uses", uses, now: this.#setup.clock.now() });
  }

  /**
   * Everything that was appended before is counted in the database when it resolves, and so are the corrections. False
   * where that could not be written.
   */
  async countUsage(corrections: UsageCorrections = NO_CORRECTIONS): Promise<boolean> {
    if (this.#state !== "running") return false;
    this.#sendBatch();
    const id = ++this.#lastCounting;
    return new Promise((resolve) => {
      this.#countings.set(id, resolve);
      this.#post({ kind: "count", id, corrections, now: this.#setup.clock.now() });
    });
  }

  async close(): Promise<void> {
    if (this.#state === "running") {
      this.#sendBatch();
      clearTimeout(this.#lazy);
      this.#state = "closing";
      this.#post({ kind: "close" });
    }
    await this.#ended;
  }

  #mayProbe(): boolean {
    const nowMs = this.#setup.clock.monotonic();
    if (nowMs - this.#lastProbeMs < PROBE_EVERY_MS) return false;
    this.#lastProbeMs = nowMs;
    return true;
  }

  #noteAwaited(): void {
    const nowMs = this.#setup.clock.monotonic();
    const gapMs = Math.min(GAP_MAX_MS, nowMs - this.#lastAwaitedMs);
    this.#meanGapMs += (gapMs - this.#meanGapMs) * GAP_WEIGHT;
    this.#lastAwaitedMs = nowMs;
  }

  /** After the sockets of this turn were read: one message for all that they asked. */
  #sendSoon(): void {
    if (this.#isSoon) return;
    this.#isSoon = true;
    const isBusy = this.#meanGapMs < BUSY_GAP_MS;
    const waitMs = isBusy ? Math.max(GATHER_MS, WINDOW_MS - (this.#lastAwaitedMs - this.#lastSentMs)) : 0;
    if (waitMs <= 0) setImmediate(this.#sendDue);
    else this.#soon = setTimeout(this.#sendDue, waitMs);
  }

  /** A response waits for its line, so the line does not wait for the rest of the window. */
  #hurry(): void {
    if (this.#isHurried) return;
    this.#isHurried = true;
    clearTimeout(this.#soon);
    const waitMs = HURRY_MS - (this.#setup.clock.monotonic() - this.#lastSentMs);
    if (waitMs <= 0) setImmediate(this.#sendDue);
    else this.#soon = setTimeout(this.#sendDue, waitMs);
  }

  /** An awaited line, or the time is up: sent now, or as soon as the writer has room. */
  readonly #sendDue = (): void => {
    this.#isSoon = false;
    this.#isDue = true;
    if (this.#sent.length < IN_FLIGHT_MAX) this.#sendBatch();
  };

  #sendBatch(): void {
    this.#isDue = false;
    this.#isSoon = false;
    this.#isHurried = false;
    clearTimeout(this.#soon);
    clearTimeout(this.#lazy);
    this.#lazy = undefined;
    if (this.#batch.length === 0 || this.#state !== "running") return;
    this.#lastSentMs = this.#setup.clock.monotonic();
    const joined = this.#batch.join("\n");
    this.#sent.push({
      through: this.#batchFirst + this.#batch.length - 1,
      bytes: this.#batchBytes,
      atMs: this.#batchAtMs,
    });
    this.#batch = [];
    this.#batchBytes = 0;
    this.#post({ kind: "lines", first: this.#batchFirst, joined, now: this.#setup.clock.now() });
  }

  #post(message: ToWriter): void {
    this.#worker.postMessage(message);
  }

  #hear(message: FromWriter): void {
    switch (message.kind) {
      case "ready":
        this.#state = "running";
        this.#isOpen = message.isOpen;
        this.#counts.records = message.records;
        this.headAt = message.headAt;
        this.#onReady();
        return;
      case "failed":
        this.#onReady(message.problem);
        return;
      case "trouble":
        this.#setup.onTrouble(message.text);
        return;
      case "counted":
        this.#countings.get(message.id)?.(message.isDone);
        this.#countings.delete(message.id);
        return;
      case "settled": {
        if (this.#isOpen && !message.isOpen) this.#lastProbeMs = this.#setup.clock.monotonic();
        this.#isOpen = message.isOpen;
        this.#takesChanges = message.takesChanges;
        this.#count(message.commitMs, message.records);
        if (message.lines) this.#settle(message.lines.through, message.lines.isOnDisk);
        for (const result of message.changes) this.#answer(result);
        if (message.isOpen && this.#lost.records > 0) this.#recordLoss();
      }
    }
  }

  #count(commitMs: number, records: number): void {
    this.#counts.commits++;
    this.#counts.commitMs += commitMs;
    this.#counts.lastCommitMs = commitMs;
    this.#counts.records = records;
  }

  #settle(through: Ticket, isOnDisk: boolean): void {
    for (let sent = this.#sent[0]; sent && sent.through <= through; sent = this.#sent[0]) {
      this.#waitingBytes -= sent.bytes;
      this.#sent.shift();
    }
    if (this.#isDue && this.#sent.length < IN_FLIGHT_MAX) this.#sendBatch();
    const settled = this.#tickets.settle(through, isOnDisk);
    if (isOnDisk) return;
    this.#counts.refusedLines += settled;
    this.#lose(settled);
  }

  #lose(records: number): undefined {
    const now = this.#setup.clock.now();
    const { records: before, from } = this.#lost;
    this.#lost = { records: before + records, from: before === 0 ? now : from, to: now };
  }

  /** The ledger accepts records again: what it lost is recorded in it, whatever kind of record it was. */
  #recordLoss(): void {
    const { records, from, to } = this.#lost;
    this.#lost = { records: 0, from: 0, to: 0 };
    const line = encodeEvent({
      type: "ledger.gap",
      at: this.#setup.clock.now(),
      environment: "system",
      actor: "gateway",
      fields: { requests: 0, records, since: from, until: to, keys: [], has_more_keys: false },
    });
    if (this.append(line, false) === undefined) this.#lost = { records, from, to };
  }

  #answer(result: ChangeResult): void {
    const waiting = this.#changes.get(result.id);
    this.#changes.delete(result.id);
    if (!waiting) return;
    if ("isJudged" in result) waiting.resolve(null);
    else if ("epoch" in result) {
      const { operations, events } = waiting.change;
      waiting.resolve({ epoch: result.epoch, seq: result.seq, images: imagesOf(operations, result.keys), events });
    } else waiting.reject(new Problem(result.problem.code, result.problem.detail));
  }

  #die(reason: string): void {
    if (this.#state === "dead") return;
    if (this.#state === "running") this.#setup.onTrouble(reason);
    this.#state = "dead";
    this.#isOpen = false;
    this.#onReady({ code: "store_unavailable", detail: reason });
    this.#counts.refusedLines += this.#tickets.open;
    this.#tickets.refuseAll();
    // It may have been written and not yet acknowledged: this is unknown, so it is not reported as written.
    for (const { reject } of this.#changes.values()) reject(new Problem("store_unavailable", reason));
    this.#changes.clear();
    for (const resolve of this.#countings.values()) resolve(false);
    this.#countings.clear();
  }
}
