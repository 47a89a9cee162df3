/**
 * The keyed hash of a key text (R5). HMAC, because a key has 256 bits of randomness and needs no slow hash; keyed,
 * because with a copy of the database alone nobody can confirm a found key or plant one of his own.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Pepper } from "./pepper.ts";

/** HMAC-SHA-256 over the whole key text; 32 bytes. */
export function hashKeyText(text: string, pepper: Pepper): Buffer {
  return createHmac("sha256", pepper.bytes).update(text, "latin1").digest();
}

/** Compares in constant time; false for hashes of another length. */
export function hashesAreEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
