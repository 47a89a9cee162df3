/**
 * Scans files and folders. Symbolic links inside a folder are not followed, so that a loop has no way in. A file that
 * cannot be read, or changes while it is read, is reported, and the scan goes on.
 */
import { closeSync, fstatSync, lstatSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { systemCodeOf } from "../kernel/system-code.ts";
import { scanSource } from "./scan-source.ts";
import type { ScanListener } from "./scan-source.ts";
import type { ReadAt } from "./tar-entries.ts";

/** The objects of a repository are compressed together: `--git REPO --history` reads them. */
const SKIPPED_FOLDER = ".git";
/** A file of this size without a block on the disk has only zeros. A small one may be kept where its name is. */
const HOLE_BYTES_MIN = 1024 * 1024;

/** Returns the number of files that were scanned. `onTurn` is awaited after each file, so that progress can be drawn. */
export async function scanPaths(
  paths: readonly string[],
  listener: ScanListener,
  onTurn: () => Promise<void>,
): Promise<number> {
  let files = 0;
  for (const path of paths)
    for (const file of filesBelow(path, listener)) {
      if (scanFile(file, listener)) files++;
      await onTurn();
    }
  return files;
}

function* filesBelow(given: string, { onSkip }: ScanListener): Generator<string> {
  // A stack, because a hostile tree can be deeper than calls can nest.
  const waiting = [given];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    let names: string[] | undefined;
    try {
      const stat = path === given ? statSync(path) : lstatSync(path);
      if (stat.isFile() || (path === given && !stat.isDirectory())) yield path;
      if (!stat.isDirectory()) continue;
      names = readdirSync(path).sort().reverse();
    } catch (cause) {
      onSkip(path, reasonOf(cause));
      continue;
    }
    for (const name of names) if (name !== SKIPPED_FOLDER) waiting.push(join(path, name));
  }
}

/** Whether it was read. */
export function scanFile(path: string, listener: ScanListener): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (cause) {
    listener.onSkip(path, reasonOf(cause));
    return false;
  }
  try {
    const before = fstatSync(descriptor);
    if (!before.isFile()) return scanPipe(descriptor, path, listener);
    const isHole = before.size > HOLE_BYTES_MIN && before.blocks === 0;
    if (!isHole) scanSource({ size: before.size, readAt: reader(descriptor) }, path, listener);
    const after = fstatSync(descriptor);
    if (after.size !== before.size || after.mtimeMs !== before.mtimeMs)
      listener.onSkip(path, "it changed while it was read: scan it again");
    return true;
  } catch (cause) {
    if (systemCodeOf(cause) === undefined) throw cause;
    listener.onSkip(path, reasonOf(cause));
    return false;
  } finally {
    closeSync(descriptor);
  }
}

/** Reads into the same memory again: what it returns is valid until the next call. */
function reader(descriptor: number): ReadAt {
  let memory: Buffer = Buffer.alloc(0);
  return (offset, length) => {
    if (memory.length < length) memory = Buffer.allocUnsafeSlow(length);
    return readFully(descriptor, offset, memory.subarray(0, length));
  };
}

function readFully(descriptor: number, offset: number, bytes: Buffer): Buffer {
  const { length } = bytes;
  let read = 0;
  while (read < length) {
    const count = readSync(descriptor, bytes, read, length - read, offset + read);
    if (count === 0) break;
    read += count;
  }
  return bytes.subarray(0, read);
}

const PIPE_BYTES_MAX = 64 * 1024 * 1024;

/** `<(command)` of a shell. */
function scanPipe(descriptor: number, path: string, listener: ScanListener): boolean {
  const pieces: Buffer[] = [];
  let size = 0;
  const piece = Buffer.alloc(64 * 1024);
  while (size < PIPE_BYTES_MAX) {
    const count = readSync(descriptor, piece, 0, piece.length, null);
    if (count === 0) break;
    pieces.push(Buffer.from(piece.subarray(0, count)));
    size += count;
  }
  if (size >= PIPE_BYTES_MAX)
    listener.onSkip(path, `not a file, and longer than ${PIPE_BYTES_MAX} bytes: pipe it into \`scan -\``);
  const bytes = Buffer.concat(pieces);
  scanSource({ size, readAt: (from, length) => bytes.subarray(from, from + length) }, path, listener);
  return true;
}

function reasonOf(cause: unknown): string {
  const code = systemCodeOf(cause);
  if (code === "EACCES" || code === "EPERM") return "no right to read it";
  if (code === "ENOENT") return "it was removed while the scan ran";
  if (code === "ELOOP") return "symbolic links form a loop";
  return code ?? (cause instanceof Error ? cause.message : String(cause));
}
