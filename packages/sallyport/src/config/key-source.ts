/** How the key-encryption key's place is written: a reference, for a secret has no place in a setting. */
import { resolve } from "node:path";
import type { KeyEncryptionKeySource } from "../keys/sealer.ts";

export const KEY_SOURCE_WANTED = "is not file:PATH, env:NAME or command:PATH";

/** Relative paths are taken from the working directory, those of programs too: none is looked for elsewhere. */
export function parseKeySource(text: string): KeyEncryptionKeySource | undefined {
  const [, kind, rest = ""] = /^(file|env|command):(.+)$/s.exec(text) ?? [];
  if (kind === "env") return /^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(rest) ? { kind, name: rest } : undefined;
  return kind === "file" || kind === "command" ? { kind, path: resolve(rest) } : undefined;
}
