/**
 * The key-encryption key, read from where the settings say: a file, a variable, or a program's output. It is never
 * written anywhere but into a file made for it, and no message quotes what was read in its place.
 */
import { spawnSync } from "node:child_process";
import { hash, randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { Problem } from "@sallyport/protocol";
import { systemCodeOf } from "../../kernel/system-code.ts";
import type { KeyEncryptionKeySource } from "../../keys/sealer.ts";
import { writeDurably } from "../disk/durable-file.ts";
import { KEY_BYTES } from "./envelope.ts";
import type { NamedKey } from "./envelope.ts";

const COMMAND_TIMEOUT_MS = 10_000;
const OUTPUT_BYTES_MAX = 4_096;

/** The key under its public id. */
export type KeyEncryptionKey = NamedKey;

/** As an operator writes it. */
export function sourceText(source: KeyEncryptionKeySource): string {
  return `${source.kind}:${source.kind === "env" ? source.name : source.path}`;
}

/** Throws `store_unavailable` where it is missing or is no key. */
export function readKeyEncryptionKey(source: KeyEncryptionKeySource): KeyEncryptionKey {
  const bytes = decode(readSource(source));
  if (!bytes)
    throw new Problem(
      "store_unavailable",
      `${sourceText(source)} holds no key: 32 bytes in base64 or hex are expected`,
    );
  return named(bytes);
}

/** A new key in a new file (0600), on disk when it returns. */
export function makeKeyFile(path: string): KeyEncryptionKey {
  const bytes = randomBytes(KEY_BYTES);
  writeDurably(path, `${bytes.toString("base64")}\n`);
  return named(bytes);
}

function named(bytes: Buffer): KeyEncryptionKey {
  const text = hash("sha256", Buffer.concat([Buffer.from("sallyport kek"), bytes]), "hex");
  return { id: text.slice(0, 8), bytes };
}

function readSource(source: KeyEncryptionKeySource): Buffer {
  switch (source.kind) {
    case "file":
      return readFile(source.path);
    case "env":
      return Buffer.from(process.env[source.name] ?? "");
    case "command":
      return runCommand(source.path);
  }
}

function readFile(path: string): Buffer {
  if (!existsSync(path)) throw new Problem("store_unavailable", `the key-encryption key ${path} is missing`);
  // Files mounted for a container may be readable by others; but no other user may choose the key.
  if (process.platform !== "win32" && (statSync(path).mode & 0o022) !== 0)
    throw new Problem("store_unavailable", `the key-encryption key ${path} can be written by others than its owner`);
  return readFileSync(path);
}

/** Without a shell, without arguments. What it says on stderr is shown; its output is the key and is not. */
function runCommand(path: string): Buffer {
  const ended = spawnSync(path, [], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: COMMAND_TIMEOUT_MS,
    killSignal: "SIGKILL",
    maxBuffer: OUTPUT_BYTES_MAX,
    windowsHide: true,
  });
  if (!ended.error && ended.status === 0) return ended.stdout;
  const code = systemCodeOf(ended.error) ?? `exit ${ended.status ?? ended.signal}`;
  throw new Problem("store_unavailable", `the program ${path} gave no key-encryption key (${code})`);
}

/** 32 bytes as they are, or as base64 or hex with white space around; undefined for anything else. */
function decode(read: Buffer): Buffer | undefined {
  if (read.length === KEY_BYTES) return read;
  const text = read.toString("latin1").trim();
  if (/^[0-9A-Fa-f]{64}$/.test(text)) return Buffer.from(text, "hex");
  return /^[0-9A-Za-z+/_-]{43}=?$/.test(text) ? Buffer.from(text, "base64") : undefined;
}
