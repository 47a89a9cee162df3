import { textOfUtf8 } from "./utf8.ts";

/** Lines of a file that comes in parts, without newlines; a line that is not UTF-8 comes as undefined. */
export function* linesOf(parts: Iterable<Uint8Array>): Generator<string | undefined> {
  let held = new Uint8Array(0);
  for (const part of parts) {
    const bytes = held.length === 0 ? part : joined(held, part);
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      yield textOfUtf8(bytes.subarray(start, end));
      start = end + 1;
    }
    held = bytes.slice(start);
  }
  if (held.length > 0) yield textOfUtf8(held);
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
