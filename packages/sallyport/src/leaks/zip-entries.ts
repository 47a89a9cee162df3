/** The entries of a zip archive (also docx, xlsx, jar, whl), read from its central directory. Every number in it is hostile. */
import { unpack } from "./compressed-bytes.ts";
import type { ScanBudget } from "./scan-budget.ts";

export interface ZipEntry {
  readonly name: string;
  readonly bytes: Buffer;
}

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const END_LENGTH = 22;
const COMMENT_MAX = 65_535;
const IS_ENCRYPTED = 1;
const STORED = 0;
const DEFLATED = 8;
const ZSTD = 93;

export function isZip(bytes: Buffer): boolean {
  return bytes.length >= END_LENGTH && bytes.readUInt32LE(0) === LOCAL;
}

export function* zipEntries(bytes: Buffer, budget: ScanBudget): Generator<ZipEntry> {
  const end = endOf(bytes);
  if (end < 0) {
    budget.skip("a zip archive has no directory: it was scanned as bytes only");
    return;
  }
  let at = bytes.readUInt32LE(end + 16);
  while (at + 46 <= bytes.length && bytes.readUInt32LE(at) === CENTRAL) {
    if (budget.isSpent || !budget.takeEntry()) return;
    const flags = bytes.readUInt16LE(at + 8);
    const method = bytes.readUInt16LE(at + 10);
    const size = bytes.readUInt32LE(at + 20);
    const nameLength = bytes.readUInt16LE(at + 28);
    const name = bytes.toString("utf8", at + 46, at + 46 + nameLength);
    const local = bytes.readUInt32LE(at + 42);
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
    if ((flags & IS_ENCRYPTED) !== 0) {
      budget.skip("an encrypted entry of a zip archive was not scanned");
      continue;
    }
    const content = contentOf(bytes, local, size, method, budget);
    if (content) yield { name, bytes: content };
  }
}

function endOf(bytes: Buffer): number {
  const least = Math.max(0, bytes.length - END_LENGTH - COMMENT_MAX);
  for (let at = bytes.length - END_LENGTH; at >= least; at--) if (bytes.readUInt32LE(at) === END) return at;
  return -1;
}

function contentOf(bytes: Buffer, local: number, size: number, method: number, budget: ScanBudget): Buffer | undefined {
  if (local + 30 > bytes.length || bytes.readUInt32LE(local) !== LOCAL) {
    budget.skip("a zip archive is damaged: an entry could not be read");
    return undefined;
  }
  const from = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
  const packed = bytes.subarray(from, from + size);
  if (packed.length === 0) return undefined;
  if (method === STORED) {
    // Entries may overlap, so that a small archive becomes large without compression.
    budget.spend(packed.length);
    return packed;
  }
  if (method === DEFLATED || method === ZSTD) return unpack(packed, method === ZSTD ? "zstd" : "deflate", budget);
  budget.skip(`an entry of a zip archive has compression method ${method}, which is not supported`);
  return undefined;
}
