/**
 * Scans bytes of any size: small ones as a whole, large ones in overlapping pieces, large archives entry by entry. What
 * could not be scanned is reported with its reason.
 */
import { compressionOf } from "./compressed-bytes.ts";
import { LineCounter } from "./line-number.ts";
import { ScanBudget } from "./scan-budget.ts";
import { scanContent } from "./scan-content.ts";
import type { Leak, OnLeak } from "./scan-content.ts";
import { isTar, tarEntries } from "./tar-entries.ts";
import type { ReadAt } from "./tar-entries.ts";
import { isZip } from "./zip-entries.ts";

export interface ByteSource {
  /** As it was when the source was opened. */
  readonly size: number;
  readonly readAt: ReadAt;
}

export interface ScanListener {
  readonly onLeak: OnLeak;
  readonly onSkip: (file: string, reason: string) => void;
  /** So many bytes were read. */
  readonly onBytes: (count: number) => void;
}

const WHOLE_MAX = 64 * 1024 * 1024;
/** What is compressed can only be read as a whole. */
const COMPRESSED_MAX = 512 * 1024 * 1024;
const PIECE = 8 * 1024 * 1024;
/** More than a key takes in any form that is not compressed. */
export const OVERLAP = 64 * 1024;
const SOURCE_MAX = 64 * 1024 * 1024 * 1024;
const ZEROS = Buffer.alloc(64 * 1024);

export function scanSource(source: ByteSource, file: string, listener: ScanListener): void {
  const { size, readAt } = source;
  if (size <= WHOLE_MAX) return scanWhole(readAt(0, size), file, listener);
  const beginning = readAt(0, 512);
  if (isTar(beginning)) return scanTar(source, file, listener);
  if (compressionOf(beginning) !== undefined || isZip(beginning)) {
    if (size <= COMPRESSED_MAX) return scanWhole(readAt(0, size), file, listener);
    listener.onSkip(file, `compressed and larger than ${COMPRESSED_MAX} bytes: it was scanned as bytes only`);
  }
  const pieces = new PieceScanner(file, listener);
  for (let at = 0; at < size;) {
    const piece = readAt(at, Math.min(PIECE, size - at));
    if (piece.length === 0) break;
    pieces.push(piece);
    at += piece.length;
    if (at < SOURCE_MAX) continue;
    listener.onSkip(file, `larger than ${SOURCE_MAX} bytes: only its beginning was scanned`);
    break;
  }
  pieces.end();
}

export function scanWhole(bytes: Buffer, file: string, { onLeak, onSkip, onBytes }: ScanListener): void {
  const budget = new ScanBudget();
  scanContent(bytes, file, budget, onLeak);
  onBytes(bytes.length);
  for (const reason of budget.reasons) onSkip(file, reason);
}

function scanTar({ size, readAt }: ByteSource, file: string, listener: ScanListener): void {
  const budget = new ScanBudget();
  let end = 0;
  for (const entry of tarEntries(readAt, size, budget)) {
    const inner = {
      size: entry.size,
      readAt: (offset: number, length: number) => readAt(entry.offset + offset, Math.min(length, entry.size - offset)),
    };
    scanSource(inner, `${file}!${entry.name}`, {
      ...listener,
      onLeak: (leak) => listener.onLeak({ ...leak, form: leak.form === "plain" ? "tar" : `tar+${leak.form}` }),
    });
    end = entry.offset + entry.size;
  }
  if (end === 0) listener.onSkip(file, "a tar archive without a readable entry");
  for (const reason of budget.reasons) listener.onSkip(file, reason);
}

/** Pieces of one long text, in order, each with the end of the one before. */
export class PieceScanner {
  readonly #file: string;
  readonly #listener: ScanListener;
  readonly #seen = new Set<string>();
  readonly #reasons = new Set<string>();
  #kept: Buffer = Buffer.alloc(0);
  #line = 1;

  constructor(file: string, listener: ScanListener) {
    this.#file = file;
    this.#listener = listener;
  }

  push(piece: Buffer): void {
    this.#listener.onBytes(piece.length);
    // A hole of a sparse file has nothing to scan, and is not worth a copy.
    if (isZero(piece) && isZero(this.#kept)) {
      this.#kept = Buffer.alloc(0);
      return;
    }
    const bytes = this.#kept.length === 0 ? piece : Buffer.concat([this.#kept, piece]);
    const keptFrom = Math.max(0, bytes.length - OVERLAP);
    const budget = new ScanBudget();
    scanContent(bytes, this.#file, budget, (leak) => this.#report(leak), this.#line);
    for (const reason of budget.reasons) this.#reasons.add(reason);
    this.#line = new LineCounter(bytes, this.#line).lineOf(keptFrom);
    this.#kept = Buffer.from(bytes.subarray(keptFrom));
  }

  end(): void {
    for (const reason of this.#reasons) this.#listener.onSkip(this.#file, reason);
  }

  #report(leak: Leak): void {
    const at = `${leak.environment} ${leak.keyId} ${leak.line} ${leak.file}`;
    if (this.#seen.has(at)) return;
    this.#seen.add(at);
    this.#listener.onLeak(leak);
  }
}

function isZero(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const end = Math.min(bytes.length, at + ZEROS.length);
    if (bytes.compare(ZEROS, 0, end - at, at, end) !== 0) return false;
  }
  return true;
}
