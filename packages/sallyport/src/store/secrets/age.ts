/**
 * Encrypts a whole backup in the age format (C2SP age v1), to recipients' public keys or under a passphrase, as a
 * stream. `age -d` opens it, too.
 */
import { ReadableStream } from "node:stream/web";
import { Decrypter, Encrypter } from "age-encryption";
import { Problem } from "@sallyport/protocol";
import type { Secret } from "../../kernel/secret.ts";

export type AgeRecipient = { readonly publicKeys: readonly string[] } | { readonly passphrase: Secret };
export type AgeIdentity = { readonly privateKeys: Secret } | { readonly passphrase: Secret };

/** The first line of every such file. Looked for before anything is read that has no bound. */
const MAGIC = "age-encryption.org/v1\n";
const PASSPHRASE_MIN = 12;

export type Seal = (chunks: AsyncIterable<Uint8Array>) => Promise<AsyncIterable<Uint8Array>>;

/** Throws `input_invalid` for what is no recipient. */
export function makeSeal(to: AgeRecipient): Seal {
  const encrypter = new Encrypter();
  if ("passphrase" in to) {
    const passphrase = to.passphrase.reveal();
    if (passphrase.length < PASSPHRASE_MIN)
      throw new Problem("input_invalid", `the passphrase is missing or shorter than ${PASSPHRASE_MIN} characters`);
    encrypter.setPassphrase(passphrase);
  } else
    for (const key of to.publicKeys) {
      try {
        encrypter.addRecipient(key);
      } catch {
        throw new Problem("input_invalid", `${key} is no recipient: age1… or env:NAME (a passphrase) is expected`);
      }
    }
  return async (chunks) => (await encrypter.encrypt(ReadableStream.from(chunks))) as ReadableStream<Uint8Array>;
}

/** Throws `input_invalid` where the identity does not open it; while it is read, for what does not authenticate. */
export async function* openSealed(
  chunks: AsyncIterable<Uint8Array>,
  identity: AgeIdentity,
): AsyncGenerator<Uint8Array> {
  const decrypter = new Decrypter();
  if ("passphrase" in identity) decrypter.addPassphrase(identity.passphrase.reveal());
  else addPrivateKeys(decrypter, identity.privateKeys);
  let opened: ReadableStream<Uint8Array>;
  try {
    opened = (await decrypter.decrypt(ReadableStream.from(withMagic(chunks)))) as ReadableStream<Uint8Array>;
  } catch {
    // Without the cause: it may quote the key.
    throw new Problem("input_invalid", "the backup was not encrypted to this identity, or its beginning is damaged");
  }
  try {
    yield* opened;
  } catch {
    throw new Problem("input_invalid", "the backup is damaged or truncated: it does not authenticate");
  }
}

/** The lines of an identity file; comments are passed over. */
function addPrivateKeys(decrypter: Decrypter, keys: Secret): void {
  const lines = keys
    .reveal()
    .split(/\r?\n/)
    .map((line) => line.trim());
  const named = lines.filter((line) => line !== "" && !line.startsWith("#"));
  try {
    for (const line of named) decrypter.addIdentity(line);
  } catch {
    throw new Problem("input_invalid", "the identity file holds something that is no AGE-SECRET-KEY-…");
  }
  if (named.length === 0) throw new Problem("input_invalid", "the identity file holds no AGE-SECRET-KEY-…");
}

async function* withMagic(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const chunk of chunks) {
    if (isFirst && !Buffer.from(chunk).subarray(0, MAGIC.length).equals(Buffer.from(MAGIC)))
      throw new TypeError("it is not in the age format");
    isFirst = false;
    yield chunk;
  }
}
