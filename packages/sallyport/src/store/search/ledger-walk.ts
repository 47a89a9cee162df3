/**
 * The ledger's lines for a search, newest or oldest first, a page at a time: segments and table as they are at that
 * moment, each record once, while a writer may be moving rows from the one to the other. Of a segment with an index only
 * blocks are read that can hold what is wanted. An empty line after each segment lets a reader pause there.
 */
import { closeSync, openSync } from "node:fs";
import { systemCodeOf } from "../../kernel/system-code.ts";
import type { WantedField } from "./record-match.ts";
import {
  BOUNDED_LINE,
  linesBackward,
  linesForward,
  linesOfRanges,
  listSegments,
  passesOtherTypes,
  segmentEnds,
  seqOfLine,
} from "../ledger/segment-file.ts";
import type { Segment } from "../ledger/segment-file.ts";
import type { SegmentIndexes } from "./segment-indexes.ts";
import type { SqlDatabase } from "../disk/sqlite.ts";

const PAGE_ROWS = 500;
/** Clocks are set back now and then: a segment is passed over for its times only with this much to spare. */
const CLOCK_SLACK_MS = 3_600_000;

export interface WalkBounds {
  /** Records above this number. */
  readonly after: number;
  /** And below this one; all unless given. */
  readonly before?: number;
  /** Epoch ms, inclusive. */
  readonly since: number;
  readonly until: number;
  /** What the reader will keep: lines without it may be skipped. */
  readonly wanted?: readonly WantedField[];
  /** Records of other types may be skipped. */
  readonly types?: readonly string[];
}

export class LedgerWalk {
  readonly #database: SqlDatabase;
  readonly #directory: string;
  readonly #indexes: SegmentIndexes | null;
  /** Times and last number of segments by name: they never change. */
  readonly #ends = new Map<string, SegmentEnds>();

  /** `directory` is the ledger's own. */
  constructor(database: SqlDatabase, directory: string, indexes: SegmentIndexes | null = null) {
    this.#database = database;
    this.#directory = directory;
    this.#indexes = indexes;
  }

  *newestFirst(bounds: WalkBounds): Generator<string> {
    const page = this.#database.prepare(
      `SELECT seq, ${BOUNDED_LINE} FROM ledger WHERE seq < ? AND seq > ? ORDER BY seq DESC LIMIT ?`,
    );
    let before = bounds.before ?? Number.MAX_SAFE_INTEGER;
    for (
      let rows = page.all(before, bounds.after, PAGE_ROWS);
      rows.length > 0;
      rows = page.all(before, bounds.after, PAGE_ROWS)
    ) {
      for (const row of rows) yield String(row["line"]);
      before = Number(rows.at(-1)?.["seq"]);
    }
    // Listed after the table was read: what left the table meanwhile is there.
    for (const segment of listSegments(this.#directory).toReversed()) {
      if (segment.first >= before) continue;
      if (!this.#mayHold(segment, bounds)) continue;
      for (const line of present(() => this.#linesOf(segment, bounds, true))) {
        const seq = seqOfLine(line);
        if (seq !== undefined && seq <= bounds.after) return;
        if (seq !== undefined && seq < before) yield line;
      }
      before = segment.first;
      yield "";
      if (before <= bounds.after + 1) return;
    }
  }

  *oldestFirst(bounds: WalkBounds): Generator<string> {
    const page = this.#database.prepare(`SELECT seq, ${BOUNDED_LINE} FROM ledger WHERE seq > ? ORDER BY seq LIMIT ?`);
    let seen = bounds.after;
    // First record of the newest segment that was read.
    let done = 0;
    for (;;) {
      for (const [segment, end] of withEnds(listSegments(this.#directory))) {
        if (segment.first <= done) continue;
        done = segment.first;
        // The newest has no successor: a reader that follows the ledger must not read all of it each time.
        const last = end === Infinity ? (this.#endsOf(segment)?.last ?? Infinity) : end - 1;
        if (last <= seen) continue;
        if (segment.first >= (bounds.before ?? Infinity)) return;
        if (this.#mayHold(segment, bounds)) {
          for (const line of present(() => this.#linesOf(segment, bounds, false))) {
            const seq = seqOfLine(line);
            if (seq === undefined || seq <= seen) continue;
            yield line;
            seen = seq;
          }
          yield "";
        }
        if (end !== Infinity) seen = Math.max(seen, end - 1);
      }
      const rows = page.all(seen, PAGE_ROWS);
      const first = rows[0]?.["seq"];
      if (first === undefined) return;
      // Rows have become a segment since the list was made: they are read there.
      if (Number(first) > seen + 1 && (listSegments(this.#directory).at(-1)?.first ?? 0) > done) continue;
      for (const row of rows) yield String(row["line"]);
      seen = Number(rows.at(-1)?.["seq"]);
    }
  }

  *#linesOf(segment: Segment, bounds: WalkBounds, isBackward: boolean): Generator<string> {
    const isPassedOver = bounds.types && passesOtherTypes(bounds.types);
    // The file that is judged is the one that is read, also where another takes its place meanwhile.
    const file = openSync(segment.path, "r");
    try {
      const index = this.#indexes?.of(segment.name, file);
      if (index) {
        const { wanted = [], before = Infinity } = bounds;
        const blocks = index.blocks(wanted, { ...bounds, before });
        const ranges = blocks.map((block) => index.rangeOf(block));
        yield* linesOfRanges(file, isBackward ? ranges.toReversed() : ranges, isBackward, isPassedOver);
        return;
      }
    } finally {
      closeSync(file);
    }
    yield* isBackward ? linesBackward(segment.path) : linesForward(segment.path, isPassedOver);
  }

  #mayHold(segment: Segment, { since, until }: WalkBounds): boolean {
    if (since === -Infinity && until === Infinity) return true;
    const ends = this.#endsOf(segment);
    return !ends || (ends.to >= since && ends.from <= until);
  }

  #endsOf(segment: Segment): SegmentEnds | undefined {
    const held = this.#ends.get(segment.name);
    if (held) return held;
    const read = [...present(() => endsOf(segment.path))][0];
    if (!read) return undefined;
    const { first, last } = read;
    const ends = { from: first.at - CLOCK_SLACK_MS, to: last.at + CLOCK_SLACK_MS, last: last.seq };
    this.#ends.set(segment.name, ends);
    return ends;
  }
}

interface SegmentEnds {
  readonly from: number;
  readonly to: number;
  readonly last: number;
}

/** Each segment with the number after its last record, as far as its successor shows it. */
function withEnds(segments: readonly Segment[]): readonly (readonly [Segment, number])[] {
  return segments.map((segment, i) => [segment, segments[i + 1]?.first ?? Infinity] as const);
}

function* endsOf(path: string) {
  const ends = segmentEnds(path);
  if (ends) yield ends;
}

/** What a file gives; nothing where retention removed it since it was listed. */
function* present<T>(read: () => Generator<T>): Generator<T> {
  try {
    yield* read();
  } catch (error) {
    if (systemCodeOf(error) !== "ENOENT") throw error;
  }
}
