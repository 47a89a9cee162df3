/**
 * The keyed hash of a key text (R5). HMAC, because a key has 256 bits of randomness and needs no slow hash; keyed,
 * because with a copy of the database alone nobody can confirm a found key or plant one of his own.
 */
import { hash, timingSafeEqual } from "node:crypto";
import type { Pepper } from "./pepper.ts";

/** Bytes of a SHA-256 block (FIPS 180-4). */
const BLOCK = 64;

interface Pads {
  readonly inner: Buffer;
  readonly outer: Buffer;
}

const padsOf = new WeakMap<Pepper, Pads>();

/**
 * HMAC-SHA-256 (RFC 2104) over the whole key text, ASCII; 32 bytes. Written as its two hashes: node's one-shot `hash`
 * costs a tenth of an `Hmac` object, and this is done for every request. Its test compares it with node's own.
 */
export function hashKeyText(text: string, pepper: Pepper): Buffer {
  let pads = padsOf.get(pepper);
  if (!pads) {
    pads = makePads(pepper.bytes);
    padsOf.set(pepper, pads);
  }
  const message = Buffer.allocUnsafe(BLOCK + text.length);
  pads.inner.copy(message);
  message.write(text, BLOCK, "latin1");
  const outer = Buffer.allocUnsafe(BLOCK + 32);
  pads.outer.copy(outer);
  // As latin1 text a hash costs a quarter of what it costs as a buffer (measured).
  outer.write(hash("sha256", message, "binary"), BLOCK, "latin1");
  return Buffer.from(hash("sha256", outer, "binary"), "latin1");
}

function makePads(key: Buffer): Pads {
  // A longer key would have to be hashed first; peppers are 32 bytes.
  if (key.length > BLOCK) throw new RangeError("a pepper is longer than a block");
  const inner = Buffer.alloc(BLOCK, 0x36);
  const outer = Buffer.alloc(BLOCK, 0x5c);
  for (let i = 0; i < key.length; i++) {
    inner[i]! ^= key[i]!;
    outer[i]! ^= key[i]!;
  }
  return { inner, outer };
}

/** Compares in constant time; false for hashes of another length. */
export function hashesAreEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
