/**
 * A witness (C2SP tlog-witness): it remembers the newest checkpoint of each log it knows and cosigns the next one only
 * where that goes on from it. So a log that shows two histories, or goes back, finds no witness for the second.
 */
import { base64Of, bytesOfBase64 } from "./base64.ts";
import type { LedgerCrypto } from "./check-log.ts";
import { parseCheckpoint } from "./checkpoint.ts";
import type { SignedCheckpoint } from "./checkpoint.ts";
import { isConsistent } from "./merkle-proof.ts";
import { checkNote } from "./signed-note.ts";
import type { NoteVerifier } from "./signed-note.ts";
import { bytesOfHex, EMPTY_ROOT, hexOfBytes } from "./tree-hash.ts";

const PROOF_MAX = 63;

export interface AddCheckpoint {
  readonly oldSize: number;
  readonly proof: readonly string[];
  readonly checkpoint: SignedCheckpoint;
  /** As it came. */
  readonly text: string;
}

export function formatAddCheckpoint(oldSize: number, proof: readonly string[], checkpoint: string): string {
  return `old ${oldSize}\n${proof.map((hash) => `${base64Of(bytesOfHex(hash))}\n`).join("")}\n${checkpoint}`;
}

export function parseAddCheckpoint(body: string): AddCheckpoint | undefined {
  const split = body.indexOf("\n\n");
  const [old = "", ...encoded] = body.slice(0, split).split("\n");
  const hashes = encoded.map(bytesOfBase64);
  const text = body.slice(split + 2);
  const checkpoint = parseCheckpoint(text);
  if (split < 0 || !/^old (?:0|[1-9]\d{0,15})$/.test(old) || encoded.length > PROOF_MAX || !checkpoint)
    return undefined;
  if (!hashes.every((hash) => hash?.length === 32)) return undefined;
  return { oldSize: Number(old.slice(4)), proof: hashes.map((hash) => hexOfBytes(hash!)), checkpoint, text };
}

/** What a witness remembers of a log. */
export interface Witnessed {
  readonly size: number;
  readonly root: string;
}

export type WitnessAnswer =
  | { readonly status: 200; readonly next: Witnessed }
  | { readonly status: 400 | 403 | 404 | 422 }
  /** `size` is the one it has. */
  | { readonly status: 409; readonly size: number };

/** Whether the next checkpoint may be cosigned, as the specification says; keeping `next` and signing is the caller's. */
export function witness(
  crypto: Pick<LedgerCrypto, "tree" | "verify">,
  logs: readonly NoteVerifier[],
  held: Witnessed | undefined,
  { oldSize, proof, checkpoint }: AddCheckpoint,
): WitnessAnswer {
  const { origin, size, root, note } = checkpoint;
  const trusted = logs.filter(({ name }) => name === origin);
  if (trusted.length === 0) return { status: 404 };
  const verdicts = trusted.map((log) => checkNote(crypto.verify, note, log).verdict);
  if (verdicts.includes("forged") || !verdicts.includes("genuine")) return { status: 403 };
  if (oldSize > size) return { status: 400 };
  if (oldSize !== (held?.size ?? 0)) return { status: 409, size: held?.size ?? 0 };
  if (size === 0 && root !== EMPTY_ROOT) return { status: 422 };
  const older = held?.root ?? EMPTY_ROOT;
  return isConsistent(crypto.tree, older, root, { from: oldSize, to: size, path: proof })
    ? { status: 200, next: { size, root } }
    : { status: 422 };
}
