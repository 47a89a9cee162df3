/**
 * Where the new keys of an import go: a new file that only its owner can read, the terminal, or the JSON result. Each key
 * is written as soon as it exists, so that a failure half-way loses none.
 */
import { closeSync, fsyncSync, openSync, unlinkSync, writeFileSync } from "node:fs";
import { visibleLine } from "../../kernel/visible-text.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import type { Io } from "../terminal/io.ts";

export interface CreatedKey {
  readonly name: string;
  readonly id: string;
  /** Absent where the key is in the file. */
  readonly key?: string;
}

export interface KeyDestination {
  /** One line of the file or the terminal. */
  write(name: string, key: string): void;
  /** Removes the file when it holds no key. */
  close(): void;
}

/** Whether keys can be shown; asked before anything is created. */
export function checkKeyDestination(io: Io, options: { readonly json?: boolean; readonly out?: string }): void {
  if (options.out === undefined && !options.json && !io.isTerminal)
    throw new UsageMistake(
      "keys are printed only on a terminal",
      "use --out FILE, which only its owner can read, or --json",
    );
}

export function openKeyDestination(
  io: Io,
  { json, out }: { readonly json?: boolean; readonly out?: string },
): KeyDestination {
  if (out === undefined)
    return { write: (name, key) => void (json || io.out(`${key}  ${visibleLine(name)}`)), close: () => {} };
  const file = createFile(out);
  let count = 0;
  return {
    write(name, key) {
      // Unlike `writeSync`, this ends with all of the line written or with an error.
      writeFileSync(file, `${key}  ${visibleLine(name)}\n`);
      count++;
    },
    close() {
      fsyncSync(file);
      closeSync(file);
      if (count === 0) unlinkSync(out);
    },
  };
}

function createFile(path: string): number {
  try {
    return openSync(path, "wx", 0o600);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageMistake(`${path} cannot be created: ${reason}`, "name a file that does not exist");
  }
}
