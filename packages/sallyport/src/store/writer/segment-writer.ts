/**
 * Rotation and retention. The oldest whole block of the table becomes a file: written aside, synced, renamed, and only
 * then are its rows deleted, in slices, so that commits go on in between. A kill anywhere leaves a record in both
 * places at worst, which readers know. Retention writes its `ledger.truncated` record before it deletes a segment.
 */
import { rmSync, statSync } from "node:fs";
import { open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { encodeEvent, parseKept, parseRecordLine } from "@sallyport/ledger";
import { inTransaction } from "./commit-group.ts";
import type { GroupParts } from "./commit-group.ts";
import type { DataPaths } from "../disk/data-paths.ts";
import { syncDirectory } from "../disk/durable-file.ts";
import { advanceLogBases } from "../ledger/log-bases.ts";
import { readCounter } from "../disk/schema.ts";
import { indexName, linesForward, listSegments, segmentEnds, segmentName, seqOfLine } from "../ledger/segment-file.ts";
import type { Segment } from "../ledger/segment-file.ts";
import type { LedgerPolicy } from "./writer-messages.ts";

const SLICE_ROWS = 2_000;
const DAY_MS = 86_400_000;

export class SegmentWriter {
  readonly #parts: GroupParts;
  readonly #paths: DataPaths;
  readonly #policy: LedgerPolicy;
  readonly #blockRecords: number;

  constructor(parts: GroupParts, paths: DataPaths, policy: LedgerPolicy, blockRecords: number) {
    this.#parts = parts;
    this.#paths = paths;
    this.#policy = policy;
    this.#blockRecords = blockRecords;
  }

  /** How far the table is over its block, in records; above 0 a rotation is due. */
  get excess(): number {
    const first = this.#firstRow();
    return first === undefined ? 0 : this.#parts.chain.seq - first + 1 - this.#blockRecords;
  }

  /** What a kill may have left half done: files never renamed, rows that are in a segment already, removed segments. */
  async tidy(): Promise<void> {
    for (const name of await readdir(this.#paths.ledger)) {
      if (name.endsWith(".tmp")) await rm(join(this.#paths.ledger, name), { force: true });
    }
    const newest = listSegments(this.#paths.ledger).at(-1);
    const first = this.#firstRow();
    if (newest && first !== undefined && first > newest.first - 1) await this.#deleteDoubles(newest, first);
    this.#sweep();
  }

  /** Moves whole blocks out of the table until it holds no more than one. */
  async rotate(): Promise<void> {
    while (this.excess > 0) {
      const first = this.#firstRow();
      if (first === undefined) return;
      const end = first + this.#blockRecords;
      await this.#writeSegment(first, end);
      await this.#deleteRows(end);
    }
  }

  /** Removes the oldest segments that are too old or exceed the size, `now` in epoch ms. */
  retain(now: number): void {
    const kept = [...listSegments(this.#paths.ledger)];
    let bytes = kept.reduce((sum, segment) => sum + statSync(segment.path).size, 0);
    const oldest = now - this.#policy.retentionDays * DAY_MS;
    let reason = "";
    const before = kept[0]?.first;
    const removed: Segment[] = [];
    for (let segment = kept[0]; segment; segment = kept[0]) {
      const isTooMuch = bytes > this.#policy.retentionBytes;
      const lastAt = segmentEnds(segment.path)?.last.at;
      // A damaged segment is evidence: it is not removed for its age, which is unknown.
      if (!isTooMuch && (lastAt === undefined || lastAt >= oldest)) break;
      reason = isTooMuch ? "bytes" : "days";
      bytes -= statSync(segment.path).size;
      removed.push(segment);
      kept.shift();
    }
    const keep = this.#firstKept(kept[0]);
    if (reason === "" || before === undefined || !keep) return;
    const event = encodeEvent({
      type: "ledger.truncated",
      at: now,
      environment: "system",
      actor: "gateway",
      fields: { first_seq: keep.seq, first_prev: keep.prev, removed: keep.seq - before, reason },
    });
    const { database, chain } = this.#parts;
    const writeBases = advanceLogBases(database, linesOf(removed), keep.seq);
    inTransaction(this.#parts, () => {
      writeBases();
      // Before the head: which records may be missing is bound to it.
      database.prepare("UPDATE meta SET value = ? WHERE name = 'truncated_before'").run(String(keep.seq));
      chain.append(event);
      chain.seal(now);
      // No checkpoint is of before what is kept.
      chain.sealLogs(now);
    });
    this.#sweep();
  }

  async #writeSegment(first: number, end: number): Promise<void> {
    const select = this.#parts.database.prepare("SELECT line FROM ledger WHERE seq >= ? AND seq < ? ORDER BY seq");
    const path = join(this.#paths.ledger, segmentName(first));
    const aside = `${path}.tmp`;
    const file = await open(aside, "w", 0o600);
    try {
      for (let seq = first; seq < end; seq += SLICE_ROWS) {
        const rows = select.all(seq, Math.min(seq + SLICE_ROWS, end));
        await file.appendFile(rows.map((row) => `${String(row["line"])}\n`).join(""));
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
    syncDirectory(this.#paths.ledger);
  }

  /** Deletes the table's rows below `end`, oldest first. */
  async #deleteRows(end: number): Promise<void> {
    const remove = this.#parts.database.prepare("DELETE FROM ledger WHERE seq < ?");
    for (let first = this.#firstRow(); first !== undefined && first < end; first = this.#firstRow()) {
      remove.run(Math.min(first + SLICE_ROWS, end));
      await turn();
    }
  }

  /** Rows that stand in the newest segment too, line for line. Where one differs, both stay as evidence. */
  async #deleteDoubles(newest: Segment, first: number): Promise<void> {
    const select = this.#parts.database.prepare("SELECT line FROM ledger WHERE seq = ?");
    let end = first;
    for (const line of linesForward(newest.path)) {
      const seq = seqOfLine(line);
      if (seq === undefined) return;
      if (seq < first) continue;
      const row = select.get(seq);
      if (row && row["line"] !== line) return;
      end = seq + 1;
    }
    // The last record stays in the table whatever happened: the head is checked against it.
    await this.#deleteRows(Math.min(end, this.#parts.chain.seq));
  }

  /** Deletes the segments that lie wholly before what a committed truncation keeps. */
  #sweep(): void {
    const keptFrom = readCounter(this.#parts.database, "truncated_before");
    const segments = listSegments(this.#paths.ledger);
    for (const [i, segment] of segments.entries()) {
      // The table is no help with the newest: it may still hold rows of it.
      const end = segments[i + 1]?.first ?? (segmentEnds(segment.path)?.last.seq ?? Infinity) + 1;
      if (end > keptFrom) return;
      rmSync(segment.path);
      rmSync(join(this.#paths.index, indexName(segment.name)), { force: true });
    }
  }

  #firstKept(segment: Segment | undefined) {
    if (segment) return segmentEnds(segment.path)?.first;
    const line = this.#parts.database.prepare("SELECT line FROM ledger ORDER BY seq LIMIT 1").get()?.["line"];
    return typeof line === "string" ? parseRecordLine(parseKept(line).line) : undefined;
  }

  #firstRow(): number | undefined {
    const seq = this.#parts.database.prepare("SELECT min(seq) AS first FROM ledger").get()?.["first"];
    return typeof seq === "number" ? seq : undefined;
  }
}

function* linesOf(segments: readonly Segment[]): Generator<string> {
  for (const { path } of segments) yield* linesForward(path);
}
