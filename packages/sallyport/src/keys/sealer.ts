/**
 * The port to encryption at rest: what must be read back is encrypted and bound to the one place it was encrypted for.
 */

export interface Sealer {
  /**
   * `purpose` says what the record is and whose, such as `key-secret/dev/<id>/2`. It is authenticated, not stored: a
   * ciphertext can be decrypted for the purpose it was encrypted for and for no other.
   */
  seal(purpose: string, plaintext: Buffer): string;
  /** Throws `store_unavailable` for what does not authenticate. */
  open(purpose: string, sealed: string): Buffer;
}

/** Where the key-encryption key comes from. Paths are absolute. */
export type KeyEncryptionKeySource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "env"; readonly name: string }
  /** A program that prints the key: the hook for a key management service. */
  | { readonly kind: "command"; readonly path: string };
