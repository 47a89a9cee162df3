/** Random identifiers. Base62 only, so that a double click selects one whole. */
import { randomFillSync } from "node:crypto";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Random bytes are asked for in bulk: a call costs more than the bytes. */
const POOL_BYTES = 4096;
const pool = Buffer.alloc(POOL_BYTES);
let at = POOL_BYTES;

/** Where a text is put together: as one flat string it costs a third of what single letters cost, and less garbage. */
const SCRATCH_BYTES = 64;
const scratch = Buffer.alloc(SCRATCH_BYTES);

/** `length` characters drawn evenly from base62 (bytes of 248 and above are thrown away, so there is no bias). */
export function randomBase62(length: number): string {
  const text = length <= SCRATCH_BYTES ? scratch : Buffer.alloc(length);
  for (let found = 0; found < length;) {
    if (at === POOL_BYTES) {
      randomFillSync(pool);
      at = 0;
    }
    const byte = pool[at]!;
    // What was used is wiped: it may have become a secret.
    pool[at++] = 0;
    if (byte < 248) text[found++] = ALPHABET.charCodeAt(byte % 62);
  }
  const id = text.toString("latin1", 0, length);
  text.fill(0, 0, length);
  return id;
}
