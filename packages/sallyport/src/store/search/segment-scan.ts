/**
 * An open segment read from its beginning in pieces, its SHA-256 taken on the way: what makes and checks an index holds a
 * piece and never the whole file. (Buffers as large as a segment, taken and given back time and again, stayed with the
 * allocator: hundreds of MB after some hundred thousand requests.)
 */
import { createHash } from "node:crypto";
import { readSync } from "node:fs";
import { LINE_BYTES_MAX } from "@sallyport/ledger";
import { lineOf, NEWLINE } from "../ledger/segment-file.ts";

const PIECE_BYTES = 256 * 1024;

/** What a segment's file is, whatever it is called. */
export interface SegmentDigest {
  readonly bytes: number;
  readonly sha256: string;
}

/** Of all its bytes. */
export function digestSegment(file: number): SegmentDigest {
  const hash = createHash("sha256");
  const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  let bytes = 0;
  for (let count = -1; count !== 0; bytes += count) {
    count = readSync(file, piece, 0, piece.length, bytes);
    hash.update(piece.subarray(0, count));
  }
  return { bytes, sha256: hash.digest("hex") };
}

/**
 * Its lines in order, each with where it begins, bytes; when they are through, the digest of those very bytes. What is not
 * UTF-8, too long or not ended by a newline comes as an empty line; nothing comes after one that is too long.
 */
export function* scanSegment(
  file: number,
): Generator<{ readonly line: string; readonly at: number }, SegmentDigest, undefined> {
  const hash = createHash("sha256");
  let buffer: Buffer = Buffer.allocUnsafeSlow(PIECE_BYTES);
  /** Where the buffer begins in the file, and how much of an unended line is in it. */
  let at = 0;
  let held = 0;
  while (held <= LINE_BYTES_MAX) {
    if (held === buffer.length) buffer = Buffer.concat([buffer], 2 * held);
    const count = readSync(file, buffer, held, buffer.length - held, at + held);
    if (count === 0) break;
    hash.update(buffer.subarray(held, held + count));
    const bytes = buffer.subarray(0, held + count);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE, held); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      yield { line: lineOf(bytes.subarray(start, end)), at: at + start };
      start = end + 1;
    }
    bytes.copyWithin(0, start);
    held = bytes.length - start;
    at += start;
  }
  if (held > 0) yield { line: "", at };
  return { bytes: at + held, sha256: hash.digest("hex") };
}
