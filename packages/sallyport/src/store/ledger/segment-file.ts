/** Segments: whole blocks of the ledger moved out of the table, named by their first record, never changed again. */
import { isUtf8 } from "node:buffer";
import { closeSync, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { LINE_BYTES_MAX, parseKept, parseRecordLine } from "@sallyport/ledger";
import type { LedgerRecord } from "@sallyport/ledger";

export interface Segment {
  /** Sequence number of its first record. */
  readonly first: number;
  readonly name: string;
  readonly path: string;
}

const CHUNK_BYTES = 256 * 1024;
/** A row of the table that is longer than any line of a record is not even taken out of the database. */
export const BOUNDED_LINE = `CASE WHEN octet_length(line) <= ${LINE_BYTES_MAX} THEN line ELSE '' END AS line`;
export const NEWLINE = 0x0a;

export function segmentName(first: number): string {
  return `${String(first).padStart(16, "0")}.jsonl`;
}

/** Of the index of a segment: `0000000000000001.idx` for `0000000000000001.jsonl`. */
export function indexName(segment: string): string {
  return segment.replace(/\.jsonl$/, ".idx");
}

/** Every segment, oldest first. What is being written has another name and is not among them. */
export function listSegments(directory: string): readonly Segment[] {
  return readdirSync(directory)
    .filter((name) => /^\d{16}\.jsonl$/.test(name))
    .toSorted()
    .map((name) => ({ first: Number(name.slice(0, 16)), name, path: join(directory, name) }));
}

/** Whether the line that begins there is of no use to the reader: it does not become a text. */
export type PassesOver = (bytes: Buffer, start: number) => boolean;

const passesNothing: PassesOver = () => false;
const COMMA = 0x2c;
/** `{"seq":` and the digits of a number. */
const SEQ_MAX = 24;
/** From the comma after a record's number to its type. */
const TYPE_OFFSET = `,"prev":"${"0".repeat(64)}","type":"`.length;

/** Passes over records of other types. A line of another form is not passed over: its reader judges it. */
export function passesOtherTypes(types: readonly string[]): PassesOver {
  const wanted = types.map((type) => Buffer.from(`${type}"`));
  return (bytes, start) => {
    let at = start;
    while (bytes[at] !== COMMA && at < start + SEQ_MAX) at++;
    if (bytes[at] !== COMMA) return false;
    for (const type of wanted) if (startsAt(bytes, at + TYPE_OFFSET, type)) return false;
    return true;
  };
}

function startsAt(bytes: Buffer, at: number, text: Buffer): boolean {
  for (let n = 0; n < text.length; n++) if (bytes[at + n] !== text[n]) return false;
  return true;
}

/** Lines in order, without newlines. What is not UTF-8, too long or not ended by a newline comes as an empty line. */
export function* linesForward(path: string, isPassedOver: PassesOver = passesNothing): Generator<string> {
  const file = openSync(path, "r");
  try {
    let held: Buffer = Buffer.alloc(0);
    for (let at = 0; ;) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const count = readSync(file, chunk, 0, CHUNK_BYTES, at);
      if (count === 0) break;
      at += count;
      const bytes: Buffer =
        held.length === 0 ? chunk.subarray(0, count) : Buffer.concat([held, chunk.subarray(0, count)]);
      let start = 0;
      for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
        if (!isPassedOver(bytes, start)) yield lineOf(bytes.subarray(start, end));
        start = end + 1;
      }
      held = bytes.subarray(start);
      if (held.length > LINE_BYTES_MAX) break;
    }
    if (held.length > 0) yield "";
  } finally {
    closeSync(file);
  }
}

/** The same lines, last first. */
export function* linesBackward(path: string): Generator<string> {
  const file = openSync(path, "r");
  try {
    let at = fstatSync(file).size;
    let held: Buffer = Buffer.alloc(0);
    let isFirst = true;
    while (at > 0) {
      const count = Math.min(CHUNK_BYTES, at);
      at -= count;
      const chunk = Buffer.allocUnsafe(count);
      readSync(file, chunk, 0, count, at);
      let bytes: Buffer = held.length === 0 ? chunk : Buffer.concat([chunk, held]);
      if (isFirst) {
        isFirst = false;
        if (bytes.at(-1) === NEWLINE) bytes = bytes.subarray(0, -1);
      }
      let end = bytes.length;
      for (
        let mark = bytes.lastIndexOf(NEWLINE);
        mark >= 0;
        mark = end === 0 ? -1 : bytes.lastIndexOf(NEWLINE, end - 1)
      ) {
        yield lineOf(bytes.subarray(mark + 1, end));
        end = mark;
      }
      held = bytes.subarray(0, end);
      if (held.length > LINE_BYTES_MAX) break;
    }
    if (!isFirst) yield held.length > LINE_BYTES_MAX ? "" : lineOf(held);
  } finally {
    closeSync(file);
  }
}

/** Lines of some ranges of an open segment, range by range; those of each forward or backward. */
export function* linesOfRanges(
  file: number,
  ranges: readonly { readonly from: number; readonly to: number }[],
  isBackward: boolean,
  isPassedOver: PassesOver = passesNothing,
): Generator<string> {
  for (const { from, to } of ranges) {
    const bytes = Buffer.allocUnsafe(to - from);
    const count = readSync(file, bytes, 0, to - from, from);
    const lines = linesOfBlock(bytes.subarray(0, count), isPassedOver);
    yield* isBackward ? lines.toReversed() : lines;
  }
}

function linesOfBlock(bytes: Buffer, isPassedOver: PassesOver): readonly string[] {
  const lines: string[] = [];
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
    if (!isPassedOver(bytes, start)) lines.push(lineOf(bytes.subarray(start, end)));
    start = end + 1;
  }
  if (start < bytes.length) lines.push("");
  return lines;
}

/** The first and last record of a segment; undefined where a line is damaged. */
export function segmentEnds(path: string): { readonly first: LedgerRecord; readonly last: LedgerRecord } | undefined {
  const first = firstOf(linesForward(path));
  const last = firstOf(linesBackward(path));
  return first && last && { first, last };
}

function firstOf(lines: Generator<string>): LedgerRecord | undefined {
  for (const line of lines) return parseRecordLine(parseKept(line).line);
  return undefined;
}

/** The sequence number alone, without reading the rest; damaged lines may have none. */
export function seqOfLine(line: string): number | undefined {
  const digits = /^\{"seq":([1-9]\d{0,15}),/.exec(line)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** A line's text; empty for what is not UTF-8. */
export function lineOf(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString("utf8") : "";
}
