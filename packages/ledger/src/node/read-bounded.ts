/** Reads files that others may have made up to a bound: they must not consume all memory or time. */
import { closeSync, openSync, readSync } from "node:fs";

const CHUNK_BYTES = 256 * 1024;

/** The whole file, by its path or its open descriptor; undefined where it is longer. Throws what the system says. */
export function readBounded(path: string | number, bytesMax: number): Buffer | undefined {
  const bytes = readStart(path, bytesMax + 1);
  return bytes.length > bytesMax ? undefined : bytes;
}

/** At most so many bytes of its beginning. A descriptor stays open, and is read from where it stands: it may be a pipe. */
export function readStart(path: string | number, bytesMax: number): Buffer {
  const file = typeof path === "number" ? path : openSync(path, "r");
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
    if (file !== path) closeSync(file);
  }
}
