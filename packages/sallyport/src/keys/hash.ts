/**
 * The keyed hash of a key (R5). HMAC, because a key has 256 bits of randomness and needs no slow hash; keyed, because a
 * copy of the database alone must not suffice to confirm a found key or to insert a new one.
 */
import { timingSafeEqual } from "node:crypto";
import { HmacKey } from "../kernel/hmac.ts";
import type { Pepper } from "./pepper.ts";

const keyOf = new WeakMap<Pepper, HmacKey>();

/** HMAC-SHA-256 over the whole key text, which is ASCII; 32 bytes. */
export function hashKeyText(text: string, pepper: Pepper): Buffer {
  let key = keyOf.get(pepper);
  if (!key) {
    key = new HmacKey(pepper.bytes);
    keyOf.set(pepper, key);
  }
  return key.of(text, "latin1");
}

/** Compares in constant time; false for hashes of another length. */
export function hashesAreEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
