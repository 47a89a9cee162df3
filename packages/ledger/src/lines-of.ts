import { textOfUtf8 } from "./utf8.ts";

/** A record is at most 64 KiB, and what follows it is short: a longer line is not ours, and is not collected. */
export const LINE_BYTES_MAX = 1024 * 1024;

/**
 * Lines of a file that comes in parts, without newlines; a line that is not UTF-8 comes as undefined. One that is too long
 * does, too, and is the last: what comes after it is not read.
 */
export function* linesOf(parts: Iterable<Uint8Array>): Generator<string | undefined> {
  let held: Uint8Array[] = [];
  let length = 0;
  for (const part of parts) {
    let start = 0;
    for (let end = part.indexOf(10); end >= 0; end = part.indexOf(10, start)) {
      if (length + end - start > LINE_BYTES_MAX) return yield undefined;
      yield textOfUtf8(joined(held, part.subarray(start, end), length));
      [held, length] = [[], 0];
      start = end + 1;
    }
    if (start < part.length) held.push(part.slice(start));
    length += part.length - start;
    if (length > LINE_BYTES_MAX) return yield undefined;
  }
  if (length > 0) yield textOfUtf8(joined(held, new Uint8Array(0), length));
}

function joined(held: readonly Uint8Array[], last: Uint8Array, heldLength: number): Uint8Array {
  if (held.length === 0) return last;
  const bytes = new Uint8Array(heldLength + last.length);
  let at = 0;
  for (const part of held) {
    bytes.set(part, at);
    at += part.length;
  }
  bytes.set(last, at);
  return bytes;
}
