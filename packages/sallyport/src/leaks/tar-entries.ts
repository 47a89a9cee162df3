/** The files in a tar archive, by position: the archive may be larger than memory. Every number in it is hostile. */
import type { ScanBudget } from "./scan-budget.ts";

const BLOCK = 512;
const MAGIC_AT = 257;
const LONG_NAME_MAX = 64 * 1024;

/** Reads `length` bytes at an offset; fewer at the end. What it returns is valid until the next call. */
export type ReadAt = (offset: number, length: number) => Buffer;

export interface TarEntry {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

export function isTar(beginning: Buffer): boolean {
  return beginning.length >= BLOCK && beginning.toString("latin1", MAGIC_AT, MAGIC_AT + 5) === "ustar";
}

export function* tarEntries(readAt: ReadAt, size: number, budget: ScanBudget): Generator<TarEntry> {
  let longName: string | undefined;
  for (let at = 0; at + BLOCK <= size;) {
    const header = readAt(at, BLOCK);
    if (!isTar(header)) return;
    if (budget.isSpent || !budget.takeEntry()) return;
    const length = numberIn(header, 124, 12);
    if (length === undefined) {
      budget.skip("a tar archive is damaged: the rest was scanned as bytes only");
      return;
    }
    const type = String.fromCharCode(header[156] ?? 0);
    const content = at + BLOCK;
    at = content + Math.ceil(length / BLOCK) * BLOCK;
    if (type === "L") {
      longName = textOf(readAt(content, Math.min(length, LONG_NAME_MAX)));
      continue;
    }
    if (type !== "0" && type !== "\0") continue;
    const name = longName ?? nameOf(header);
    longName = undefined;
    yield { name, offset: content, size: Math.min(length, Math.max(0, size - content)) };
  }
}

function nameOf(header: Buffer): string {
  const prefix = textOf(header.subarray(345, 500));
  const name = textOf(header.subarray(0, 100));
  return prefix === "" ? name : `${prefix}/${name}`;
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end < 0 ? bytes.length : end);
}

/** Octal, or binary with the highest bit set. */
function numberIn(header: Buffer, from: number, length: number): number | undefined {
  if ((header[from]! & 0x80) !== 0) {
    const value = header.readUIntBE(from + length - 6, 6);
    return value;
  }
  const text = header.toString("latin1", from, from + length).replace(/[\0 ]/g, "");
  return /^[0-7]{1,12}$/.test(text) ? Number.parseInt(text, 8) : undefined;
}
