/** How the key-encryption key's place is written: a reference, for a secret has no place in a setting. */
import { resolve } from "node:path";
import type { KeyEncryptionKeySource } from "../keys/sealer.ts";

export type SecretSource = Exclude<KeyEncryptionKeySource, { kind: "command" }>;

export const SECRET_SOURCE_WANTED = "is not env:NAME or file:PATH";
export const KEY_SOURCE_WANTED = "is not file:PATH, env:NAME or command:PATH";

/** A secret that is no key of ours: from a variable or a file. */
export function parseSecretSource(text: string): SecretSource | undefined {
  const source = parseKeySource(text);
  return source?.kind === "command" ? undefined : source;
}

/** Relative paths are taken from the working directory, those of programs too: none is looked for elsewhere. */
export function parseKeySource(text: string): KeyEncryptionKeySource | undefined {
  const [, kind, rest = ""] = /^(file|env|command):(.+)$/s.exec(text) ?? [];
  if (kind === "env") return /^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(rest) ? { kind, name: rest } : undefined;
  return kind === "file" || kind === "command" ? { kind, path: resolve(rest) } : undefined;
}
