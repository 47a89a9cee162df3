/** Verifies an export or a proof on disk with the keys and checkpoints that an auditor kept. */
import { existsSync, statSync } from "node:fs";
import { Problem } from "@sallyport/protocol";
import {
  cannotShow,
  parseCheckpoint,
  parseVerifierKey,
  PROOF_FIRST_LINE,
  verifyExport,
  verifyRecordProof,
} from "../index.ts";
import type { LedgerVerdict, Pins, NoteVerifier } from "../index.ts";
import { exportFilesAt } from "./export-files.ts";
import { ledgerCrypto } from "./ledger-crypto.ts";
import { readBounded, readStart } from "./read-bounded.ts";

const TEXT_BYTES_MAX = 1024 * 1024;

/** `path`: an export's folder or file, or a proof. Damage is a verdict; `not_found` is thrown where nothing is there. */
export function verifyFile(path: string, pins: Pins, onRead?: (bytes: number) => void): LedgerVerdict {
  if (!existsSync(path)) throw new Problem("not_found", `there is no ${path}`);
  const isExport = statSync(path).isDirectory() || existsSync(`${path}.manifest`) || !isProof(path);
  if (isExport) return verifyExport(exportFilesAt(path, onRead), ledgerCrypto, pins);
  const verdict = verifyRecordProof(ledgerCrypto, readText(path), pins);
  return {
    ok: verdict.ok,
    records: verdict.ok ? 1 : 0,
    ...(verdict.ok ? {} : { firstDamage: { seq: 0, file: path, reason: verdict.reason } }),
    unvouched: [],
    cannotShow: cannotShow(pins),
  };
}

/** Each is a verifier key, or a file of them, one a line; checkpoints are files. Throws `input_invalid`. */
export function readPins(keys: readonly string[], checkpoints: readonly string[], witnesses: readonly string[]): Pins {
  return {
    keys: keys.flatMap(verifiersOf),
    witnesses: witnesses.flatMap(verifiersOf),
    checkpoints: checkpoints.map((path) => {
      const checkpoint = existsSync(path) ? parseCheckpoint(readText(path)) : undefined;
      if (!checkpoint) throw new Problem("input_invalid", `${path} holds no signed checkpoint`);
      return checkpoint;
    }),
  };
}

/** The verifier keys in a file or a text, at least one: to verify with none would be to verify nothing. */
export function verifiersOf(said: string): readonly NoteVerifier[] {
  const text = existsSync(said) ? readText(said) : said;
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  if (lines.length === 0)
    throw new Problem(
      "input_invalid",
      `${said === "" ? "the verifier key" : said} holds no verifier key, or is longer than 1 MiB`,
    );
  return lines.map((line) => {
    const verifier = parseVerifierKey(ledgerCrypto.sha256, line);
    if (!verifier) throw new Problem("input_invalid", `this is no verifier key (name+id+base64): ${line.slice(0, 80)}`);
    return verifier;
  });
}

function isProof(path: string): boolean {
  return readStart(path, PROOF_FIRST_LINE.length + 1).toString("latin1") === `${PROOF_FIRST_LINE}\n`;
}

/** A proof, a checkpoint or keys; empty for a file that is too long to be one. */
function readText(path: string): string {
  return readBounded(path, TEXT_BYTES_MAX)?.toString("utf8") ?? "";
}
