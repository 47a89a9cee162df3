/** A registered signing key: which algorithm it is for is its own property, never the request's choice. */
import { createHmac, timingSafeEqual, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { readPublicKey } from "./public-key.ts";

/** The names of RFC 9421 section 6.2.2. */
export const signerAlgorithms = ["ed25519", "ecdsa-p256-sha256", "hmac-sha256"] as const;
export type SignerAlgorithm = (typeof signerAlgorithms)[number];

export type Signer =
  | { readonly id: string; readonly algorithm: "ed25519" | "ecdsa-p256-sha256"; readonly key: KeyObject }
  | { readonly id: string; readonly algorithm: "hmac-sha256"; readonly key: Buffer };

/** The grammar of a `keyid`: it is quoted in a header and stored in audit records. */
export const SIGNER_ID = /^[0-9A-Za-z][0-9A-Za-z._:/+@-]{0,127}$/;
const SECRET = /^[A-Za-z0-9_-]{43,171}$/;
const SIGNATURE_BYTES = 64;

/**
 * Made once, when the key is registered or read. `text` is a public key (see `readPublicKey()`), or for `hmac-sha256` the
 * base64url of 32 to 128 random bytes. Undefined when it is not one of that algorithm: a public key is never a secret.
 */
export function makeSigner(id: string, algorithm: SignerAlgorithm, text: string): Signer | undefined {
  if (!SIGNER_ID.test(id)) return undefined;
  if (algorithm !== "hmac-sha256") {
    const key = readPublicKey(text, algorithm);
    return key && { id, algorithm, key };
  }
  if (!SECRET.test(text)) return undefined;
  const key = Buffer.from(text, "base64url");
  return key.toString("base64url") === text ? { id, algorithm, key } : undefined;
}

/** Whether `signature` (base64) is the signer's, over `base` (ASCII). RFC 9421 section 3.3. */
export function verifySignature(signer: Signer, base: string, signature: string): boolean {
  const message = Buffer.from(base, "latin1");
  const bytes = Buffer.from(signature, "base64");
  switch (signer.algorithm) {
    case "ed25519":
      return bytes.length === SIGNATURE_BYTES && verify(null, message, signer.key, bytes);
    case "ecdsa-p256-sha256":
      // r and s side by side, not DER (section 3.3.4).
      return (
        bytes.length === SIGNATURE_BYTES &&
        verify("sha256", message, { key: signer.key, dsaEncoding: "ieee-p1363" }, bytes)
      );
    case "hmac-sha256": {
      const expected = createHmac("sha256", signer.key).update(message).digest();
      return bytes.length === expected.length && timingSafeEqual(bytes, expected);
    }
  }
}
