/**
 * `sallyport-verify PATH`: the same as `sallyport audit verify` for an export or a proof, for an auditor who installs
 * the verifier and nothing else. The same exit codes: 0 whole, 1 damaged, 2 wrong use, 4 file not found.
 */
import { parseArgs } from "node:util";
import { Problem } from "@sallyport/protocol";
import { describeVerdict } from "../index.ts";
import { readPins, verifyFile } from "./verify-file.ts";

const USAGE = `usage: sallyport-verify [options] PATH

Verifies an export of a Sallyport audit log, or a proof of one record, offline.

options:
  --key KEY          a verifier key you kept, or a file of them; may be given several times
  --checkpoint FILE  a checkpoint you kept; may be given several times
  --witness KEY      the verifier key of a witness that must have cosigned; may be given several times
  --json             print the verdict as JSON
  --help             print this text
`;

const many = { type: "string", multiple: true, default: [] as string[] } as const;
const flag = { type: "boolean", default: false } as const;
const OPTIONS = { key: many, checkpoint: many, witness: many, json: flag, help: flag } as const;

/** Where the command writes. */
export interface Output {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** `words`: the arguments. Returns the exit code. */
export function runVerify(words: readonly string[], { out, err }: Output): number {
  const read = readWords(words);
  if (typeof read === "string") return refuse(err, read, 2);
  const { values, positionals } = read;
  if (values.help) {
    out(USAGE);
    return 0;
  }
  const [path] = positionals;
  if (path === undefined || positionals.length > 1) return refuse(err, "name one export or proof", 2);
  try {
    const verdict = verifyFile(path, readPins(values.key, values.checkpoint, values.witness));
    out(values.json ? `${JSON.stringify(verdict)}\n` : textOf(describeVerdict(verdict)));
    return verdict.ok ? 0 : 1;
  } catch (cause) {
    if (!(cause instanceof Problem)) throw cause;
    return refuse(err, cause.message, cause.code === "not_found" ? 4 : 2);
  }
}

function readWords(words: readonly string[]) {
  try {
    return parseArgs({ args: [...words], options: OPTIONS, allowPositionals: true });
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
}

function refuse(err: (text: string) => void, why: string, exitCode: number): number {
  err(`sallyport-verify: ${why}\n  remedy: see sallyport-verify --help\n`);
  return exitCode;
}

function textOf({ facts, notes }: ReturnType<typeof describeVerdict>): string {
  const width = Math.max(...Object.keys(facts).map((name) => name.length)) + 2;
  const lines = [...Object.entries(facts).map(([name, value]) => `${name.padEnd(width)}${value}`), ...notes];
  // What a damaged file says must not move the cursor of a terminal.
  return lines.map((line) => `${line.replace(/[\p{Cc}\p{Cf}]/gu, "\u{FFFD}")}\n`).join("");
}
