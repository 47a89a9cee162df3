/**
 * The end of personal fields: what is stored next to a record is deleted when its time is over; the record and every
 * proof of it stay. In segments the file is rewritten without it, in the table the row.
 */
import { setImmediate as turn } from "node:timers/promises";
import { encodeEvent, parseKept } from "@sallyport/ledger";
import { inTransaction } from "./commit-group.ts";
import type { GroupParts } from "./commit-group.ts";
import type { DataPaths } from "../disk/data-paths.ts";
import { rewriteSegment } from "./rewrite-segment.ts";
import { recordClassOf } from "../ledger/record-class.ts";
import { linesForward, listSegments, segmentEnds } from "../ledger/segment-file.ts";
import type { Segment } from "../ledger/segment-file.ts";
import type { LedgerPolicy } from "./writer-messages.ts";

const DAY_MS = 86_400_000;
const SLICE_ROWS = 500;
const HEAD = /^\{"seq":\d+,"prev":"[^"]*","type":"([^"]*)","at":(-?\d+),/;

/** Acts of administration and security keep their personal fields longer. */
const TERMS = ["brief", "long"] as const;
type Term = (typeof TERMS)[number];

/** Whether a record's personal fields are over, by the class of its type. */
type IsOver = (kept: string) => boolean;

export class PersonalEraser {
  readonly #parts: GroupParts;
  readonly #paths: DataPaths;
  readonly #policy: LedgerPolicy;

  constructor(parts: GroupParts, paths: DataPaths, policy: LedgerPolicy) {
    this.#parts = parts;
    this.#paths = paths;
    this.#policy = policy;
  }

  /** Erases what is over, `now` in epoch ms. Killed anywhere, it goes on when it is called again. */
  async erase(now: number): Promise<void> {
    const cutoffs = this.#cutoffs(now);
    const isOver = makeIsOver(cutoffs);
    const done = this.#done();
    const segments: Segment[] = [];
    const reached = { ...done };
    for (const segment of listSegments(this.#paths.ledger)) {
      const ends = segment.first > Math.min(done.brief, done.long) ? segmentEnds(segment.path) : undefined;
      if (!ends) continue;
      const terms = TERMS.filter((term) => segment.first > done[term] && ends.first.at < cutoffs[term]);
      if (terms.length === 0) continue;
      segments.push(segment);
      // One that is not over as a whole is looked at again.
      for (const term of terms) if (ends.last.at < cutoffs[term]) reached[term] = segment.first;
    }
    const rows = await this.#rowsThatAreOver(isOver);
    if (segments.length === 0 && rows.length === 0) return;
    let isRecorded = false;
    const recordOnce = (): void => {
      if (!isRecorded) this.#record(now);
      isRecorded = true;
    };
    for (const segment of segments) await this.#eraseSegment(segment, isOver, recordOnce);
    if (rows.length > 0) {
      recordOnce();
      await this.#eraseRows(rows);
    }
    const put = this.#parts.database.prepare(
      "INSERT INTO meta (name, value) VALUES ('erased', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    );
    put.run(`${reached.brief} ${reached.long}`);
  }

  /** First records of the last segments in which nothing of a term is left. */
  #done(): Record<Term, number> {
    const row = this.#parts.database.prepare("SELECT value FROM meta WHERE name = 'erased'").get();
    const [, brief = "0", long = "0"] = /^(\d{1,15}) (\d{1,15})$/.exec(String(row?.["value"] ?? "")) ?? [];
    return { brief: Number(brief), long: Number(long) };
  }

  /** Epoch ms. */
  #cutoffs(now: number): Readonly<Record<Term, number>> {
    const { personalDays, securityPersonalDays } = this.#policy;
    return { brief: now - personalDays * DAY_MS, long: now - securityPersonalDays * DAY_MS };
  }

  async #rowsThatAreOver(isOver: IsOver): Promise<readonly number[]> {
    const select = this.#parts.database.prepare("SELECT seq, line FROM ledger WHERE seq > ? ORDER BY seq LIMIT ?");
    const seqs: number[] = [];
    for (let after = -1; ;) {
      const rows = select.all(after, SLICE_ROWS);
      for (const row of rows) if (isOver(String(row["line"]))) seqs.push(Number(row["seq"]));
      const last = rows.at(-1);
      if (!last) return seqs;
      after = Number(last["seq"]);
      await turn();
    }
  }

  #record(now: number): void {
    const { personalDays, securityPersonalDays } = this.#policy;
    const fields = { personal_days: personalDays, security_personal_days: securityPersonalDays };
    inTransaction(this.#parts, () => {
      this.#parts.chain.append(
        encodeEvent({ type: "ledger.erased", at: now, environment: "system", actor: "gateway", fields }),
      );
      this.#parts.chain.seal(now);
    });
  }

  /** `onFound` is called before the first field goes. */
  #eraseSegment(segment: Segment, isOver: IsOver, onFound: () => void): Promise<void> {
    let isChanged = false;
    function* erased(): Generator<string> {
      for (const kept of linesForward(segment.path)) {
        const isErased = isOver(kept);
        isChanged ||= isErased;
        yield isErased ? parseKept(kept).line : kept;
      }
    }
    return rewriteSegment(this.#paths, segment, erased(), () => {
      if (isChanged) onFound();
      return isChanged;
    });
  }

  async #eraseRows(seqs: readonly number[]): Promise<void> {
    const { database } = this.#parts;
    const update = database.prepare(
      "UPDATE ledger SET line = substr(line, 1, instr(line, char(9)) - 1) WHERE seq = ? AND instr(line, char(9)) > 0",
    );
    for (let at = 0; at < seqs.length; at += SLICE_ROWS) {
      database.exec("BEGIN IMMEDIATE");
      try {
        for (const seq of seqs.slice(at, at + SLICE_ROWS)) update.run(seq);
      } finally {
        database.exec("COMMIT");
      }
      await turn();
    }
    // The log beside the database still has the pages as they were.
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  }
}

/** A damaged line has no beside that is looked at: it stays as it is, as evidence. */
function makeIsOver(cutoffs: Readonly<Record<Term, number>>): IsOver {
  return function isOver(kept) {
    if (!kept.includes("\t")) return false;
    const [, type = "", at] = HEAD.exec(kept) ?? [];
    return Number(at) < cutoffs[recordClassOf(type) === "request" ? "brief" : "long"];
  };
}
