/** Reads a file that a stranger may have written: at most one MiB, UTF-8, whatever kind of file it is. */
import { closeSync, openSync, readSync } from "node:fs";
import { systemCodeOf } from "../../kernel/system-code.ts";
import { UsageMistake } from "../terminal/failure.ts";
import { IMPORT_BYTES_MAX } from "./source-read.ts";

const STDIN = 0;

/** `-` is standard input. */
export function readBoundedText(path: string): string {
  const fd = path === "-" ? STDIN : openSync(path, "r");
  const shown = path === "-" ? "standard input" : path;
  try {
    // One more byte than allowed shows that there is more, also for a pipe, which has no size.
    const bytes = Buffer.alloc(IMPORT_BYTES_MAX + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      read = readSync(fd, bytes, length, bytes.length - length, null);
    if (length > IMPORT_BYTES_MAX) throw new UsageMistake(`${shown} is larger than 1 MiB`, "split the file");
    return decode(bytes.subarray(0, length), shown);
  } catch (cause) {
    // Reading a directory fails without a path.
    throw systemCodeOf(cause) === undefined ? cause : Object.assign(cause as Error, { path: shown });
  } finally {
    if (fd !== STDIN) closeSync(fd);
  }
}

function decode(bytes: Buffer, shown: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UsageMistake(`${shown} is not UTF-8 text`, "save the file as UTF-8");
  }
}
