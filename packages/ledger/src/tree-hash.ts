import { utf8Of } from "./utf8.ts";

/**
 * The two hashes of a Merkle tree (RFC 6962, section 2.1): SHA-256 with a first byte that keeps leaves and nodes apart.
 * Hashes are lower-case hex, 64 digits: they are compared, printed and kept as text.
 */
export interface TreeHash {
  /** SHA-256(0x00 || entry), the entry's UTF-8 bytes. */
  leaf(entry: string): string;
  /** SHA-256(0x01 || left || right). */
  node(left: string, right: string): string;
}

/** Lower-case hex of SHA-256 over a text's UTF-8 bytes. */
export type Sha256Text = (text: string) => string;

/** SHA-256 over nothing: the root of a tree without leaves. */
export const EMPTY_ROOT = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const HEX_64 = /^[0-9a-f]{64}$/;

export function isTreeHash(text: unknown): text is string {
  return typeof text === "string" && HEX_64.test(text);
}

/** From a SHA-256 that returns lower-case hex; the gateway has a faster implementation. */
export function treeHashOf(sha256: (bytes: Uint8Array) => string): TreeHash {
  return {
    leaf: (entry) => sha256(utf8Of(`\0${entry}`)),
    node(left, right) {
      const bytes = new Uint8Array(65);
      bytes[0] = 1;
      putHex(bytes, 1, left);
      putHex(bytes, 33, right);
      return sha256(bytes);
    },
  };
}

/** The 32 bytes of a hash. */
export function bytesOfHex(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length / 2);
  putHex(bytes, 0, hex);
  return bytes;
}

/** Writes them at `at`. */
export function putHex(bytes: Uint8Array, at: number, hex: string): void {
  for (let i = 0, to = at; i < hex.length; i += 2)
    bytes[to++] = (digitOf(hex.charCodeAt(i)) << 4) | digitOf(hex.charCodeAt(i + 1));
}

/** Of a lower-case hex digit's code. */
function digitOf(code: number): number {
  return code < 58 ? code - 48 : code - 87;
}

export function hexOfBytes(bytes: Uint8Array): string {
  let hex = "";
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0");
  return hex;
}
