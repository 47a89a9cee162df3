/**
 * The signers of notes: the log of each environment, in each generation of its key, and the node itself for its
 * exports. All of them are derived from the ledger's one signing key (HKDF, RFC 5869), so a new environment or
 * generation needs no separate secret to store, encrypt and back up.
 */
import { createPrivateKey, createPublicKey, hkdfSync, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { noteVerifier, utf8Of } from "@sallyport/ledger";
import type { NoteSignature, NoteVerifier } from "@sallyport/ledger";
import { ledgerCrypto } from "@sallyport/ledger/node";

export interface NoteSigner {
  readonly verifier: NoteVerifier;
  sign(text: string): NoteSignature;
  /** Ed25519 over the text alone, 64 bytes. */
  signBare(text: string): Uint8Array;
}

/** PKCS #8 of an Ed25519 key, up to its 32 bytes (RFC 8410). */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");

/** `name` is a log's origin or the node's own; `generation` from 1. */
export function deriveNoteSigner(root: KeyObject, name: string, generation: number): NoteSigner {
  const seed = Buffer.from(root.export({ format: "jwk" }).d ?? "", "base64url");
  const own = Buffer.from(hkdfSync("sha256", seed, "", `sallyport-ledger/v1\n${name}\n${generation}`, 32));
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, own]), format: "der", type: "pkcs8" });
  seed.fill(0);
  own.fill(0);
  return noteSignerOf(privateKey, name);
}

export function noteSignerOf(privateKey: KeyObject, name: string): NoteSigner {
  const x = createPublicKey(privateKey).export({ format: "jwk" }).x ?? "";
  const verifier = noteVerifier(ledgerCrypto.sha256, name, "ed25519", Buffer.from(x, "base64url"));
  const signBare = (text: string): Uint8Array => sign(null, utf8Of(text), privateKey);
  return {
    verifier,
    signBare,
    sign: (text) => ({ name, keyId: verifier.keyId, signature: signBare(text) }),
  };
}

/** The name under which a node signs what it exports. */
export function nodeName(node: string): string {
  return `sallyport/${node}`;
}
