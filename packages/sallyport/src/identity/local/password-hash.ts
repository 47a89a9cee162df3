/**
 * A password's hash as it is written down: Argon2id (RFC 9106) in the PHC string format, so that what was asked of one
 * made years ago is still known, and a later log-in can raise it. What is read is bounded before it is computed with.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";

export interface PasswordHash {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

export type Derivation = Omit<PasswordHash, "hash">;

/**
 * OWASP's minimum (19 MiB, two passes, one lane) and not RFC 9106's 64 MiB: five times that memory takes most of a
 * second in WebAssembly, for a hash that is encrypted at rest and protected by a second factor that a copy does not
 * reveal.
 */
export const PRESENT_COST = { memoryKib: 19_456, passes: 2, lanes: 1 } as const;
export const HASH_BYTES = 32;
const SALT_BYTES = 16;
/** Beyond it no program of ours ever wrote one. */
const COST_MAX = { memoryKib: 262_144, passes: 16, lanes: 16 } as const;
const PHC =
  /^\$argon2id\$v=19\$m=([1-9]\d{0,6}),t=([1-9]\d?),p=([1-9]\d?)\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{43})$/;

export function newDerivation(): Derivation {
  return { ...PRESENT_COST, salt: randomBytes(SALT_BYTES) };
}

export function writePhc({ memoryKib, passes, lanes, salt, hash }: PasswordHash): string {
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}$${unpadded(salt)}$${unpadded(hash)}`;
}

/** Undefined for what we would not have written. */
export function readPhc(text: string): PasswordHash | undefined {
  const parts = PHC.exec(text);
  if (!parts) return undefined;
  const [memoryKib, passes, lanes] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  const salt = Buffer.from(parts[4]!, "base64");
  const hash = Buffer.from(parts[5]!, "base64");
  const isBounded =
    memoryKib <= COST_MAX.memoryKib &&
    memoryKib >= 8 * lanes &&
    passes <= COST_MAX.passes &&
    lanes <= COST_MAX.lanes &&
    salt.length >= 8 &&
    hash.length === HASH_BYTES;
  // One text for one value: spare bits of the last character are no second spelling.
  const isCanonical = unpadded(salt) === parts[4] && unpadded(hash) === parts[5];
  return isBounded && isCanonical ? { memoryKib, passes, lanes, salt, hash } : undefined;
}

/** It was made with less than is asked today. */
export function isBelowPresent({ memoryKib, passes, lanes }: PasswordHash): boolean {
  return memoryKib < PRESENT_COST.memoryKib || passes < PRESENT_COST.passes || lanes < PRESENT_COST.lanes;
}

export function hashesAreSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString("base64")
    .replace(/={1,2}$/, "");
}
