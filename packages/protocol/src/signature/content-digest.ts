/** `content-digest` (RFC 9530): the one thing that ties a body to a signature. SHA-256 and SHA-512, nothing older. */
import { FieldCursor } from "./field-cursor.ts";
import { signatureFailure } from "./signature-failure.ts";
import type { SignatureFailure } from "./signature-failure.ts";

/** Digests in base64; null where not sent, and at least one is. All that are there must fit the body. */
export interface ContentDigest {
  readonly sha256: string | null;
  readonly sha512: string | null;
}

const SHA_256_LENGTH = 44;
const SHA_512_LENGTH = 88;

/** The value of a `content-digest` line. */
export function parseContentDigest(text: string): ContentDigest | SignatureFailure {
  const digest: { sha256: string | null; sha512: string | null } = { sha256: null, sha512: null };
  if (text.length > 256) return signatureFailure("digest_malformed");
  const cursor = new FieldCursor(text);
  do {
    const key = cursor.key();
    const bytes = cursor.take("=") ? cursor.bytes() : undefined;
    if (key === "sha-256" && digest.sha256 === null && bytes?.length === SHA_256_LENGTH) digest.sha256 = bytes;
    else if (key === "sha-512" && digest.sha512 === null && bytes?.length === SHA_512_LENGTH) digest.sha512 = bytes;
    else return signatureFailure("digest_malformed");
  } while (cursor.take(", "));
  return cursor.isAtEnd() ? digest : signatureFailure("digest_malformed");
}

export function formatContentDigest({ sha256, sha512 }: ContentDigest): string {
  const members = [sha256 !== null && `sha-256=:${sha256}:`, sha512 !== null && `sha-512=:${sha512}:`];
  return members.filter(Boolean).join(", ");
}
