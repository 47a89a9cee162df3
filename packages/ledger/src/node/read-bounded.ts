/** Reads files that others may have made up to a bound: they must not consume all memory or time. */
import { closeSync, openSync, readSync } from "node:fs";

const CHUNK_BYTES = 256 * 1024;

/** The whole file; undefined where it is longer. Throws what the system says. */
export function readBounded(path: string, bytesMax: number): Buffer | undefined {
  const bytes = readStart(path, bytesMax + 1);
  return bytes.length > bytesMax ? undefined : bytes;
}

/** At most so many bytes of its beginning. */
export function readStart(path: string, bytesMax: number): Buffer {
  const file = openSync(path, "r");
  try {
    const chunks: Buffer[] = [];
    for (let left = bytesMax; left > 0;) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, left));
      const count = readSync(file, chunk, 0, chunk.length, null);
      if (count === 0) break;
      chunks.push(chunk.subarray(0, count));
      left -= count;
    }
    return Buffer.concat(chunks);
  } finally {
    closeSync(file);
  }
}
