/**
 * The envelope: AES-256-GCM under a data key, as one line of text that names the key. Purpose and key id are
 * authenticated with it, so a ciphertext can be decrypted in its place only. Pure: it does not know where keys come
 * from.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = "aes-256-gcm";

/** `sealed1.<key id>.<nonce, ciphertext and tag in base64url>` */
const SEALED = /^sealed1\.([0-9A-Za-z]{1,64})\.([0-9A-Za-z_-]{38,})$/;

/** It was changed, truncated, moved to another place, or encrypted under another key; these cannot be distinguished. */
export class NotAuthentic extends Error {
  constructor() {
    super("an encrypted text does not authenticate");
    this.name = "NotAuthentic";
  }
}

export interface NamedKey {
  readonly id: string;
  /** 32 bytes. */
  readonly bytes: Buffer;
}

export function sealUnder(key: NamedKey, purpose: string, plaintext: Buffer): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key.bytes, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(placeOf(key.id, purpose));
  const parts = [nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()];
  return `sealed1.${key.id}.${Buffer.concat(parts).toString("base64url")}`;
}

/** Throws `NotAuthentic`, whatever is wrong. */
export function openUnder(key: NamedKey, purpose: string, sealed: string): Buffer {
  const parts = SEALED.exec(sealed);
  if (!parts || parts[1] !== key.id) throw new NotAuthentic();
  const bytes = Buffer.from(parts[2] ?? "", "base64url");
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new NotAuthentic();
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv(CIPHER, key.bytes, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(placeOf(key.id, purpose));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    throw new NotAuthentic();
  }
}

/** The id of the key a text was encrypted under; undefined for other text. */
export function keyIdOf(sealed: string): string | undefined {
  return SEALED.exec(sealed)?.[1];
}

function placeOf(keyId: string, purpose: string): Buffer {
  // An id has no zero byte, so no two pairs give the same bytes.
  return Buffer.from(`sallyport sealed 1\0${keyId}\0${purpose}`);
}
