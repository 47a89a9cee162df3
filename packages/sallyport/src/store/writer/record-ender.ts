/**
 * The end of a class of records: when all of a segment's requests are older than policy keeps them, each is replaced by
 * the hash of its leaf, and the acts between them stay. Where the ledger has more bytes than policy keeps, requests and
 * reads end earlier, in the oldest segments first: only then does a segment go with the acts in it. Which went is said in the ledger before the first goes, so that
 * no other can go unseen. The first and the last record of a segment stay: they are what it is found by.
 */
import { statSync } from "node:fs";
import { EndedRuns, encodeEvent, formatEnded, parseEnded, parseKept, parseRecordLine } from "@sallyport/ledger";
import { isEnvironmentName } from "@sallyport/protocol";
import type { EndedAct, LedgerRecord } from "@sallyport/ledger";
import type { EnvironmentName } from "@sallyport/protocol";
import { inTransaction } from "./commit-group.ts";
import type { GroupParts } from "./commit-group.ts";
import type { DataPaths } from "../disk/data-paths.ts";
import { ledgerCrypto, treeHash } from "@sallyport/ledger/node";
import { recordClassOf } from "../ledger/record-class.ts";
import type { RecordClass } from "../ledger/record-class.ts";
import { rewriteSegment } from "./rewrite-segment.ts";
import { readCounter } from "../disk/schema.ts";
import { linesForward, listSegments, segmentEnds } from "../ledger/segment-file.ts";
import type { Segment } from "../ledger/segment-file.ts";
import type { LedgerPolicy } from "./writer-messages.ts";

const DAY_MS = 86_400_000;
const REQUESTS: ReadonlySet<RecordClass> = new Set(["request"]);
const MANY: ReadonlySet<RecordClass> = new Set(["request", "read"]);

/** How far each way of ending has got, in the database's `meta`. */
type Mark = "ended" | "made_room";

interface Over {
  /** Numbers of the segment's first and last record, which stay. */
  readonly first: number;
  readonly last: number;
  readonly over: ReadonlySet<RecordClass>;
}

export class RecordEnder {
  readonly #parts: GroupParts;
  readonly #paths: DataPaths;
  readonly #policy: LedgerPolicy;

  constructor(parts: GroupParts, paths: DataPaths, policy: LedgerPolicy) {
    this.#parts = parts;
    this.#paths = paths;
    this.#policy = policy;
  }

  /** Ends what is over, `now` in epoch ms. Killed anywhere, it goes on when it is called again. */
  async end(now: number): Promise<void> {
    const { requestDays, retentionDays } = this.#policy;
    if (requestDays >= retentionDays) return;
    const cutoff = now - requestDays * DAY_MS;
    for (const segment of this.#segmentsAfter("ended")) {
      const ends = segmentEnds(segment.path);
      // What is damaged is evidence: nothing of it ends, nor of what comes after it.
      if (!ends || ends.last.at >= cutoff || !(await this.#endSegment(segment, ends.last.seq, REQUESTS, now))) return;
      this.#note("ended", ends.last.seq);
    }
  }

  /** Ends requests and reads, whatever their age, until the ledger has no more bytes than policy keeps. */
  async makeRoom(now: number): Promise<void> {
    const sizeOf = ({ path }: Segment): number => statSync(path).size;
    let bytes = listSegments(this.#paths.ledger).reduce((sum, segment) => sum + sizeOf(segment), 0);
    for (const segment of this.#segmentsAfter("made_room")) {
      if (bytes <= this.#policy.retentionBytes) return;
      const before = sizeOf(segment);
      const last = segmentEnds(segment.path)?.last.seq;
      if (last === undefined || !(await this.#endSegment(segment, last, MANY, now))) return;
      bytes += sizeOf(segment) - before;
      this.#note("made_room", last);
    }
  }

  /** Those of which nothing has ended in this way; the newest may still have its rows in the table. */
  #segmentsAfter(mark: Mark): readonly Segment[] {
    // Records of before the logs have no leaf that could stand for them.
    const from = Math.max(readCounter(this.#parts.database, "logs_from"), this.#done(mark) + 1);
    return listSegments(this.#paths.ledger)
      .slice(0, -1)
      .filter(({ first }) => first >= from);
  }

  /** The last record of the last segment of which something has ended in this way. */
  #done(mark: Mark): number {
    const value = this.#parts.database.prepare("SELECT value FROM meta WHERE name = ?").get(mark)?.["value"];
    return typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : 0;
  }

  #note(mark: Mark, seq: number): void {
    const put = this.#parts.database.prepare(
      "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    );
    put.run(mark, String(seq));
  }

  /** False where the segment is damaged. */
  async #endSegment(segment: Segment, last: number, over: ReadonlySet<RecordClass>, now: number): Promise<boolean> {
    const { first, path } = segment;
    const runs = new EndedRuns();
    const lines = new EndedLines(linesForward(path), { first, last, over }, runs);
    await rewriteSegment(this.#paths, segment, lines, () => {
      if (lines.areDamaged || runs.count === 0) return false;
      this.#record(runs.between(ledgerCrypto.sha256Text, first, last), over, now);
      return true;
    });
    return !lines.areDamaged;
  }

  #record({ first, last, count, digest }: EndedAct, over: ReadonlySet<RecordClass>, now: number): void {
    const fields = { class: [...over].join("+"), first_seq: first, last_seq: last, count, digest };
    inTransaction(this.#parts, () => {
      this.#parts.chain.append(
        encodeEvent({ type: "ledger.ended", at: now, environment: "system", actor: "gateway", fields }),
      );
      this.#parts.chain.seal(now);
    });
  }
}

/** The lines of a segment as they will be, up to the first that is damaged. */
class EndedLines implements Iterable<string> {
  areDamaged = false;
  readonly #lines: Iterable<string>;
  readonly #over: Over;
  readonly #runs: EndedRuns;

  /** `runs` hears the number of each that ends. */
  constructor(lines: Iterable<string>, over: Over, runs: EndedRuns) {
    this.#lines = lines;
    this.#over = over;
    this.#runs = runs;
  }

  *[Symbol.iterator](): Generator<string> {
    // Held back by one: whether it names its hash depends on the one after it.
    let held: Held | undefined;
    for (const kept of this.#lines) {
      const { line } = parseKept(kept);
      const record = parseRecordLine(line);
      // Ended already, by a run whose mark was not written any more.
      const before = record ? undefined : parseEnded(line);
      const seq = (record ?? before)?.seq;
      if (seq === undefined) {
        this.areDamaged = true;
        return;
      }
      const environment = record?.environment ?? "";
      // A record of an environment that can be none has no place in a log: it stays what it is.
      const isOver = record !== undefined && isEnvironmentName(environment) && this.#isOver(record);
      if (held) yield endedLine(held, !isOver);
      if (isOver || before) this.#runs.add(seq);
      if (!isOver) yield kept;
      held = isOver ? { seq, environment, prev: held ? null : record.prev, line } : undefined;
    }
    if (held) yield endedLine(held, true);
  }

  #isOver({ seq, type }: LedgerRecord): boolean {
    const { first, last, over } = this.#over;
    return seq > first && seq < last && over.has(recordClassOf(type));
  }
}

interface Held {
  readonly seq: number;
  readonly environment: EnvironmentName;
  readonly prev: string | null;
  readonly line: string;
}

function endedLine({ seq, environment, prev, line }: Held, isBeforeRecord: boolean): string {
  const hash = isBeforeRecord ? ledgerCrypto.sha256Text(line) : null;
  return formatEnded({ seq, environment, prev, leaf: treeHash.leaf(line), hash });
}
