/** Reads a file that a stranger may have written: at most one MiB, UTF-8, whatever kind of file it is. */
import { readBounded } from "@sallyport/ledger/node";
import { systemCodeOf } from "../../kernel/system-code.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { demandGivenPath } from "../terminal/given-path.ts";
import { IMPORT_BYTES_MAX } from "./source-read.ts";

const STDIN = 0;

/** `-` is standard input. */
export function readBoundedText(path: string): string {
  const shown = path === "-" ? "standard input" : path;
  demandGivenPath(path);
  const bytes = read(path === "-" ? STDIN : path, shown);
  if (bytes === undefined) throw new UsageMistake(`${shown} is larger than 1 MiB`, "split the file");
  return decode(bytes, shown);
}

function read(file: string | number, shown: string): Buffer | undefined {
  try {
    return readBounded(file, IMPORT_BYTES_MAX);
  } catch (cause) {
    // Reading a directory fails without a path.
    throw systemCodeOf(cause) === undefined ? cause : Object.assign(cause as Error, { path: shown });
  }
}

function decode(bytes: Buffer, shown: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UsageMistake(`${shown} is not UTF-8 text`, "save the file as UTF-8");
  }
}
