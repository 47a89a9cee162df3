/**
 * Public keys in their usual formats, parsed strictly: all become the same few bytes, and only those reach the
 * cryptographic library. A private key is rejected: it does not belong on a gateway.
 */
import { createPublicKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { decodeBase64, parseSshPublicKey } from "./ssh-public-key.ts";

export type PublicKeyAlgorithm = "ed25519" | "ecdsa-p256-sha256";

/** SubjectPublicKeyInfo (RFC 8410, RFC 5480) up to the key's own bytes. */
const SPKI_PREFIXES: Readonly<Record<PublicKeyAlgorithm, Buffer>> = {
  ed25519: Buffer.from("302a300506032b6570032100", "hex"),
  "ecdsa-p256-sha256": Buffer.from("3059301306072a8648ce3d020106082a8648ce3d030107034200", "hex"),
};
const RAW_LENGTHS: Readonly<Record<PublicKeyAlgorithm, number>> = { ed25519: 32, "ecdsa-p256-sha256": 65 };
const PEM = /^-----BEGIN PUBLIC KEY-----\r?\n([A-Za-z0-9+/=\r\n]{1,256})-----END PUBLIC KEY-----\s*$/;
const TEXT_MAX = 2048;

/**
 * Reads SPKI in PEM or in base64, a line of an OpenSSH `.pub` file, or a JWK (RFC 8037, RFC 7518 section 6.2).
 * Undefined for any other text or algorithm, for a point that is not on the curve, and for one that verifies anything.
 */
export function readPublicKey(text: string, algorithm: PublicKeyAlgorithm): KeyObject | undefined {
  const raw = text.length <= TEXT_MAX ? rawKey(text, algorithm) : undefined;
  return raw && keyFromRaw(raw, algorithm);
}

/** The key of those bytes: 32 of Ed25519, or an uncompressed point of P-256. */
export function keyFromRaw(raw: Buffer, algorithm: PublicKeyAlgorithm): KeyObject | undefined {
  if (raw.length !== RAW_LENGTHS[algorithm]) return undefined;
  if (algorithm === "ed25519" ? isWeakEd25519(raw) : raw[0] !== 4) return undefined;
  try {
    return createPublicKey({ key: Buffer.concat([SPKI_PREFIXES[algorithm], raw]), format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}

function rawKey(text: string, algorithm: PublicKeyAlgorithm): Buffer | undefined {
  if (text.startsWith("-----")) return fromSpki(PEM.exec(text)?.[1]?.replace(/\r?\n/g, ""), algorithm);
  if (text.startsWith("{")) return fromJwk(text, algorithm);
  if (!text.includes(" ")) return fromSpki(text.trim(), algorithm);
  const key = parseSshPublicKey(text);
  return key && (key.type === "ssh-ed25519") === (algorithm === "ed25519") ? key.raw : undefined;
}

function fromSpki(base64: string | undefined, algorithm: PublicKeyAlgorithm): Buffer | undefined {
  const der = base64 === undefined ? undefined : decodeBase64(base64);
  const prefix = SPKI_PREFIXES[algorithm];
  return der?.subarray(0, prefix.length).equals(prefix) ? der.subarray(prefix.length) : undefined;
}

function fromJwk(text: string, algorithm: PublicKeyAlgorithm): Buffer | undefined {
  let jwk: unknown;
  try {
    jwk = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { kty, crv, x, y, d } = jwk as Readonly<Record<string, unknown>>;
  const [keyType, curve] = algorithm === "ed25519" ? ["OKP", "Ed25519"] : ["EC", "P-256"];
  if (kty !== keyType || crv !== curve || d !== undefined) return undefined;
  const first = coordinate(x);
  if (algorithm === "ed25519") return y === undefined ? first : undefined;
  const second = coordinate(y);
  return first && second && Buffer.concat([Buffer.from([4]), first, second]);
}

function coordinate(text: unknown): Buffer | undefined {
  if (typeof text !== "string" || text.length !== 43) return undefined;
  const bytes = Buffer.from(text, "base64url");
  return bytes.length === 32 && bytes.toString("base64url") === text ? bytes : undefined;
}

/** y of the points of small order (sign bit cleared): a signature can be made that verifies under them for any message. */
const SMALL_ORDER = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);
/** From here on y is written a second time: 2^255 - 19 and above (RFC 8032 section 5.1.3). */
const FIELD_PRIME = Buffer.from(`7f${"ff".repeat(30)}ed`, "hex");

function isWeakEd25519(raw: Buffer): boolean {
  const y = Buffer.from(raw);
  y[31]! &= 0x7f;
  return SMALL_ORDER.has(y.toString("hex")) || Buffer.compare(Buffer.from(y).reverse(), FIELD_PRIME) >= 0;
}
