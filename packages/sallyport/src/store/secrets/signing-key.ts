/**
 * The ledger's Ed25519 key pair: the private key signs each head, is encrypted at rest, and never leaves `secrets/` in
 * plain text.
 */
import type { KeyObject } from "node:crypto";
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { headText } from "@sallyport/ledger";
import type { LedgerHead, SignedHead } from "@sallyport/ledger";
import { Problem } from "@sallyport/protocol";
import type { Sealer } from "../../keys/sealer.ts";
import { dataPaths } from "../disk/data-paths.ts";
import type { DataPaths } from "../disk/data-paths.ts";
import { readSecretFile, signingKeyFile } from "./sealed-files.ts";

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

/** Throws `store_unavailable` if the private key is missing, damaged, or not encrypted for its place. */
export function openSigningKey(paths: DataPaths, sealer: Sealer): KeyObject {
  const pem = readSecretFile(sealer, signingKeyFile(paths));
  return keyOf(paths.signingKey, () => createPrivateKey(pem));
}

/** Throws `store_unavailable` when the public half is missing, damaged, or not of one pair with the private one. */
export function openSigner(paths: DataPaths, privateKey: KeyObject): HeadSigner {
  const publicKey = readLedgerPublicKey(paths.publicKey);
  if (!createPublicKey(privateKey).equals(publicKey)) {
    throw new Problem("store_unavailable", `${paths.publicKey} does not belong to ${paths.signingKey}`);
  }
  return signerOf(privateKey, publicKey);
}

export function signerFromPem(privatePem: string): HeadSigner {
  return signerOfKey(createPrivateKey(privatePem));
}

export function signerOfKey(privateKey: KeyObject): HeadSigner {
  return signerOf(privateKey, createPublicKey(privateKey));
}

/** Throws `store_unavailable` when the file is missing or holds no Ed25519 key. */
export function readLedgerPublicKey(path: string): KeyObject {
  return keyOf(path, () => createPublicKey(readFileSync(path, "utf8")));
}

export function isSignatureGenuine(publicKey: KeyObject, text: string, signature: string): boolean {
  return verify(null, Buffer.from(text), publicKey, Buffer.from(signature, "base64"));
}

function signerOf(privateKey: KeyObject, publicKey: KeyObject): HeadSigner {
  return {
    sign(head) {
      const signature = sign(null, Buffer.from(headText(head)), privateKey).toString("base64");
      return { ...head, signature };
    },
    isGenuine: (head) => isSignatureGenuine(publicKey, headText(head), head.signature),
  };
}

function keyOf(path: string, read: () => KeyObject): KeyObject {
  let key: KeyObject;
  try {
    key = read();
  } catch {
    // Without the cause: a parser's message may quote what it read.
    throw new Problem("store_unavailable", `${path} is missing or holds no key`);
  }
  if (key.asymmetricKeyType !== "ed25519") throw new Problem("store_unavailable", `${path} holds no Ed25519 key`);
  return key;
}

const TEXT = "sallyport index of ledger segments 1\n";

/** 32 bytes. Throws `store_unavailable` where the signing key cannot be opened. */
export function openIndexKey(directory: string, sealer: Sealer): Buffer {
  const signature = sign(null, Buffer.from(TEXT), openSigningKey(dataPaths(directory), sealer));
  return createHash("sha256").update(signature).digest();
}
