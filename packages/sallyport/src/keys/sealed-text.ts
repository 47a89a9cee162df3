/**
 * Text encrypted under something only its reader has: AES-256-GCM (NIST SP 800-38D) with a key derived from that by
 * HKDF-SHA-256 (RFC 5869). A reader of the database cannot decrypt it, and its purpose is authenticated.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { Secret } from "../kernel/secret.ts";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** base64url of nonce, ciphertext and tag. `under` has at least 128 random bits. */
export function sealText(under: Secret, purpose: string, text: Secret): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", keyFrom(under, purpose), nonce);
  const sealed = [nonce, cipher.update(text.reveal(), "utf8"), cipher.final()];
  return Buffer.concat([...sealed, cipher.getAuthTag()]).toString("base64url");
}

/** Undefined if it was not encrypted under that, for that purpose, or is damaged. */
export function openText(under: Secret, purpose: string, sealed: string): Secret | undefined {
  const bytes = Buffer.from(sealed, "base64url");
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", keyFrom(under, purpose), bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    const text = [decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()];
    return new Secret(Buffer.concat(text).toString("utf8"));
  } catch {
    return undefined;
  }
}

function keyFrom(under: Secret, purpose: string): Buffer {
  return Buffer.from(hkdfSync("sha256", under.reveal(), "", `sallyport ${purpose}`, 32));
}
