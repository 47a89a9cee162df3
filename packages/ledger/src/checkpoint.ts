/** Checkpoints (C2SP tlog-checkpoint): the text a log signs of its tree. Ours have no extension lines; others' may. */
import type { EnvironmentName } from "@sallyport/protocol";
import { base64Of, bytesOfBase64 } from "./base64.ts";
import { parseSignedNote } from "./signed-note.ts";
import type { SignedNote } from "./signed-note.ts";
import { bytesOfHex, hexOfBytes } from "./tree-hash.ts";

export interface Checkpoint {
  /** The log's name; ours are `sallyport/<node>/<environment>`. */
  readonly origin: string;
  /** Leaves. */
  readonly size: number;
  /** 64 hex digits. */
  readonly root: string;
}

export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${base64Of(bytesOfHex(root))}\n`;
}

export interface SignedCheckpoint extends Checkpoint {
  readonly note: SignedNote;
}

/** Reads a signed checkpoint strictly; undefined for anything else. Says nothing about its signatures being genuine. */
export function parseCheckpoint(text: string): SignedCheckpoint | undefined {
  const note = parseSignedNote(text);
  if (!note) return undefined;
  const [origin = "", size = "", root = "", ...more] = note.text.slice(0, -1).split("\n");
  const bytes = bytesOfBase64(root);
  if (origin === "" || !/^(?:0|[1-9]\d{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) return undefined;
  if (bytes?.length !== 32 || more.includes("")) return undefined;
  return { origin, size: Number(size), root: hexOfBytes(bytes), note };
}

/** The name of one environment's log on one node. */
export function logOrigin(node: string, environment: EnvironmentName): string {
  return `sallyport/${node}/${environment}`;
}
