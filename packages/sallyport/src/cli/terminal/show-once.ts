/**
 * Where an admin key may be printed: on a terminal, into a new file that only its owner can read, or as JSON if requested.
 * Checked before the key is created, so that no key is created that cannot be shown.
 */
import { closeSync, openSync, unlinkSync, writeFileSync } from "node:fs";
import { UsageMistake } from "./usage-mistake.ts";
import type { Io } from "./io.ts";
import { facts } from "./print.ts";

/** It is for the day when nothing else helps. */
export const RECOVERY_KEY_PLACE = "keep it offline";

export interface OnceOptions {
  readonly json?: boolean;
  readonly out?: string;
}

export interface Once {
  /** Shows the answer, whose member of that name is the secret, and says where that belongs. */
  show(answer: Readonly<Record<string, string | null>>, secret: string, where: string): void;
  /** Nothing was made: takes the empty file away. */
  abandon(): void;
}

/** `what` names the key for people: `the admin key`. */
export function prepareOnce(io: Io, { json, out }: OnceOptions, what = "the admin key"): Once {
  if (out === undefined && !json && !io.isTerminal) {
    throw new UsageMistake(
      `${what} is shown only on a terminal`,
      "use --out FILE, which only its owner can read, or --json",
    );
  }
  const file = out === undefined ? undefined : createFile(out);
  return {
    show(answer, secret, where) {
      const text = answer[secret] ?? "";
      if (file !== undefined && out !== undefined) {
        writeFileSync(file, `${text}\n`);
        closeSync(file);
      }
      const shown =
        file === undefined ? answer : Object.fromEntries(Object.entries(answer).filter(([name]) => name !== secret));
      const told = out === undefined ? shown : { ...shown, out };
      if (json) io.out(JSON.stringify(told));
      else for (const line of facts(told)) io.out(line);
      if (!json && file === undefined)
        io.err(`${what[0]!.toUpperCase()}${what.slice(1)} is shown this once and cannot be read again: ${where}.`);
    },
    abandon() {
      if (file === undefined || out === undefined) return;
      closeSync(file);
      unlinkSync(out);
    },
  };
}

function createFile(path: string): number {
  try {
    return openSync(path, "wx", 0o600);
  } catch (cause) {
    throw new UsageMistake(
      `${path} cannot be created: ${cause instanceof Error ? cause.message : String(cause)}`,
      "name a file that does not exist, in a directory you can write to",
    );
  }
}
