/** The private half of a signing key, for WebCrypto: imported once, at the first request. */
import type { webcrypto } from "node:crypto";

export type SigningAlgorithm = "ed25519" | "ecdsa-p256-sha256" | "hmac-sha256";

export interface RequestSigner {
  /** The name the key was registered under. */
  readonly keyid: string;
  readonly algorithm: SigningAlgorithm;
  /**
   * A WebCrypto key (it may be one that cannot be exported), a PKCS#8 PEM text (`-----BEGIN PRIVATE KEY-----`), or a JWK.
   * For `hmac-sha256`, the secret as it was registered: base64url text, or its bytes.
   */
  readonly privateKey: webcrypto.CryptoKey | webcrypto.JsonWebKey | Uint8Array<ArrayBuffer> | string;
}

interface Parameters {
  readonly imported: { readonly name: string; readonly namedCurve?: string; readonly hash?: string };
  readonly signing: { readonly name: string; readonly hash?: string };
}

/** WebCrypto writes ECDSA signatures as r and s side by side, as RFC 9421 section 3.3.4 wants them. */
const PARAMETERS: Readonly<Record<SigningAlgorithm, Parameters>> = {
  ed25519: { imported: { name: "Ed25519" }, signing: { name: "Ed25519" } },
  "ecdsa-p256-sha256": {
    imported: { name: "ECDSA", namedCurve: "P-256" },
    signing: { name: "ECDSA", hash: "SHA-256" },
  },
  "hmac-sha256": { imported: { name: "HMAC", hash: "SHA-256" }, signing: { name: "HMAC" } },
};

/** Signs texts in ASCII. A key that is not one of its algorithm makes each call fail, with WebCrypto's own words. */
export function signingKey(signer: RequestSigner): (base: string) => Promise<Uint8Array> {
  let imported: Promise<webcrypto.CryptoKey> | undefined;
  return async (base) => {
    imported ??= importKey(signer);
    const key = await imported;
    const bytes = new TextEncoder().encode(base);
    return new Uint8Array(await crypto.subtle.sign(PARAMETERS[signer.algorithm].signing, key, bytes));
  };
}

async function importKey({ algorithm, privateKey }: RequestSigner): Promise<webcrypto.CryptoKey> {
  const { imported } = PARAMETERS[algorithm];
  const bytes = typeof privateKey === "string" ? bytesOf(algorithm, privateKey) : privateKey;
  if (bytes instanceof Uint8Array) {
    const format = algorithm === "hmac-sha256" ? "raw" : "pkcs8";
    return crypto.subtle.importKey(format, bytes, imported, false, ["sign"]);
  }
  return isCryptoKey(bytes) ? bytes : crypto.subtle.importKey("jwk", bytes, imported, false, ["sign"]);
}

function isCryptoKey(key: webcrypto.CryptoKey | webcrypto.JsonWebKey): key is webcrypto.CryptoKey {
  return "algorithm" in key && "usages" in key;
}

const PEM = /^\s*-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----\s*$/;

function bytesOf(algorithm: SigningAlgorithm, text: string): Uint8Array<ArrayBuffer> {
  const pem = PEM.exec(text)?.[1]?.replaceAll(/\s/g, "");
  const isSecret = algorithm === "hmac-sha256";
  const base64 = isSecret ? text.trim().replaceAll("-", "+").replaceAll("_", "/") : pem;
  if (base64 === undefined)
    throw new TypeError("the private key must be PKCS#8 in PEM (`openssl pkcs8 -topk8 -nocrypt` makes it of another)");
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
