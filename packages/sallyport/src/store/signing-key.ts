/** The ledger's Ed25519 key pair: the private half signs each head and never leaves `secrets/`. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { headText, Problem } from "@sallyport/protocol";
import type { LedgerHead, SignedHead } from "@sallyport/protocol";
import type { DataPaths } from "./data-paths.ts";

export interface HeadSigner {
  sign(head: LedgerHead): SignedHead;
  isGenuine(head: SignedHead): boolean;
}

/** Both halves in PEM. */
export function generateSigningKey(): { readonly privatePem: string; readonly publicPem: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    privatePem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    publicPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
  };
}

/** Throws `store_unavailable` when a half is missing, damaged, or they are not of one pair. */
export function openSigner(paths: DataPaths): HeadSigner {
  const publicKey = readPublicKey(paths.publicKey);
  const privateKey = readKey(paths.signingKey, createPrivateKey);
  if (!createPublicKey(privateKey).equals(publicKey)) {
    throw new Problem("store_unavailable", `${paths.publicKey} does not belong to ${paths.signingKey}`);
  }
  return signerOf(privateKey, publicKey);
}

export function signerFromPem(privatePem: string): HeadSigner {
  const privateKey = createPrivateKey(privatePem);
  return signerOf(privateKey, createPublicKey(privateKey));
}

/** Throws `store_unavailable` when the file is missing or holds no Ed25519 key. */
export function readPublicKey(path: string): KeyObject {
  return readKey(path, createPublicKey);
}

export function isSignatureGenuine(publicKey: KeyObject, text: string, signature: string): boolean {
  return verify(null, Buffer.from(text), publicKey, Buffer.from(signature, "base64"));
}

function signerOf(privateKey: KeyObject, publicKey: KeyObject): HeadSigner {
  return {
    sign(head) {
      const signature = sign(null, Buffer.from(headText(head)), privateKey).toString("base64");
      return { seq: head.seq, hash: head.hash, at: head.at, signature };
    },
    isGenuine: (head) => isSignatureGenuine(publicKey, headText(head), head.signature),
  };
}

function readKey(path: string, parse: (pem: string) => KeyObject): KeyObject {
  let key: KeyObject;
  try {
    key = parse(readFileSync(path, "utf8"));
  } catch {
    // Without the cause: a parser's message may quote what it read.
    throw new Problem("store_unavailable", `${path} is missing or holds no key`);
  }
  if (key.asymmetricKeyType !== "ed25519") throw new Problem("store_unavailable", `${path} holds no Ed25519 key`);
  return key;
}
