/**
 * Scans the content of one file: the two passes over its bytes, then everything that decoders make of it, to a bounded
 * depth and within a budget. A finding has the key's public parts only, never the secret.
 */
import { findKeys } from "@sallyport/protocol";
import type { KeyKind, KeyText } from "@sallyport/protocol";
import { compressionOf, unpack } from "./compressed-bytes.ts";
import { decodeRuns } from "./encoded-runs.ts";
import { LineCounter } from "./line-number.ts";
import { decodeNumberLists } from "./number-lists.ts";
import type { ScanBudget } from "./scan-budget.ts";
import { isTar, tarEntries } from "./tar-entries.ts";
import { findWrittenKeys } from "./tolerant-pass.ts";
import { isZip, zipEntries } from "./zip-entries.ts";

export interface Leak {
  readonly keyId: string;
  readonly environment: string;
  readonly kind: KeyKind;
  readonly file: string;
  readonly line: number;
  /** How the key was written: `plain`, or the decoders that found it, outermost first. */
  readonly form: string;
}

export type OnLeak = (leak: Leak) => void;

interface Place {
  /** With the names of the archives around it: `app.tar!etc/app.env`. */
  readonly file: string;
  /** Of decoded text: the line in the text that was decoded. Counted for findings only. */
  readonly line: (() => number) | undefined;
  readonly forms: readonly string[];
}

const SAMPLE = 4_096;

export function scanContent(bytes: Buffer, file: string, budget: ScanBudget, onLeak: OnLeak, firstLine = 1): void {
  const leaks = new Map<string, Leak>();
  const files = new Map<string, string>();
  const collect = (leak: Leak): void => {
    // Decoders that overlap find a key in several forms: the first is the simplest.
    const at = `${leak.environment} ${leak.keyId} ${leak.line} ${leak.file}`;
    if (!leaks.has(at)) leaks.set(at, leak);
    if (leak.file !== file) files.set(`${leak.environment} ${leak.keyId}`, leak.file);
  };
  scanAt(bytes, { file, line: undefined, forms: [] }, budget, collect, firstLine);
  for (const leak of leaks.values())
    // What an archive contains uncompressed is in its bytes as well: the entry says more.
    if (leak.file !== file || !files.has(`${leak.environment} ${leak.keyId}`)) onLeak(leak);
}

function scanAt(bytes: Buffer, place: Place, budget: ScanBudget, onLeak: OnLeak, firstLine = 1): void {
  const found = new Set<number>();
  const lines = new LineCounter(bytes, firstLine);
  const report = (key: KeyText, start: number, form: string): void => {
    if (found.has(start)) return;
    found.add(start);
    const { id: keyId, environment, kind } = key;
    const forms = form === "plain" && place.forms.length > 0 ? place.forms : [...place.forms, form];
    const line = place.line ? place.line() : lines.lineOf(start);
    onLeak({ keyId, environment, kind, file: place.file, line, form: forms.join("+") });
  };
  findKeys(bytes, ({ key, start }) => report(key, start, "plain"));
  findWrittenKeys(bytes, ({ key, start, form }) => report(key, start, form));
  if (place.forms.length >= budget.bounds.depth || budget.isSpent) return;
  const inside = (form: string, start: number): Place => ({
    ...place,
    line: place.line ?? (() => lines.lineOf(start)),
    forms: [...place.forms, form],
  });
  scanArchive(bytes, place, budget, onLeak);
  for (const start of archivesInside(bytes))
    if (!budget.isSpent) scanArchive(bytes.subarray(start), place, budget, onLeak);
  const narrow = narrowed(bytes);
  if (narrow) scanAt(narrow, { ...place, forms: [...place.forms, "utf-16"] }, budget, onLeak, firstLine);
  decodeNumberLists(bytes, ({ bytes: decoded, start, form }) => {
    findKeys(decoded, ({ key }) => report(key, start, form));
  });
  decodeRuns(bytes, ({ bytes: decoded, start, form }) => {
    if (budget.isSpent) return;
    budget.spend(decoded.length);
    scanAt(decoded, inside(form, start), budget, onLeak);
  });
}

function scanArchive(bytes: Buffer, place: Place, budget: ScanBudget, onLeak: OnLeak): void {
  const compression = compressionOf(bytes);
  if (compression) {
    const unpacked = unpack(bytes, compression, budget);
    if (unpacked) scanAt(unpacked, { ...place, forms: [...place.forms, compression] }, budget, onLeak);
  } else if (isZip(bytes)) {
    for (const { name, bytes: content } of zipEntries(bytes, budget))
      scanAt(content, { ...place, file: `${place.file}!${name}`, forms: [...place.forms, "zip"] }, budget, onLeak);
  } else if (isTar(bytes)) {
    const readAt = (offset: number, length: number): Buffer => bytes.subarray(offset, offset + length);
    for (const { name, offset, size } of tarEntries(readAt, bytes.length, budget))
      scanAt(
        readAt(offset, size),
        { ...place, file: `${place.file}!${name}`, forms: [...place.forms, "tar"] },
        budget,
        onLeak,
      );
  }
}

const GZIP = Buffer.from([0x1f, 0x8b, 8]);
const ZIP = Buffer.from("PK\u0003\u0004");
const PDF = "%PDF-";
const INSIDE_MAX = 10_000;

/** Where archives begin that are not the whole file: in packages, after a program, in a PDF. */
function* archivesInside(bytes: Buffer): Generator<number> {
  let left = INSIDE_MAX;
  if (!isZip(bytes)) {
    const zip = bytes.indexOf(ZIP, 1);
    if (zip > 0) yield zip;
  }
  if (compressionOf(bytes) === undefined)
    for (let at = bytes.indexOf(GZIP, 1); at > 0 && left-- > 0; at = bytes.indexOf(GZIP, at + 3)) yield at;
  if (bytes.toString("latin1", 0, PDF.length) !== PDF) return;
  for (let at = bytes.indexOf("stream"); at > 0 && left-- > 0; at = bytes.indexOf("stream", at + 6))
    yield at + (bytes[at + 6] === 0x0d ? 8 : 7);
}

/** The other half of UTF-16 text, where every second byte of the beginning is NUL. */
function narrowed(bytes: Buffer): Buffer | undefined {
  const sample = Math.min(SAMPLE, bytes.length);
  if (sample < 128) return undefined;
  const nul = [0, 0];
  for (let at = 0; at < sample; at++) if (bytes[at] === 0) nul[at & 1]!++;
  const odd = nul[1]! > nul[0]! ? 1 : 0;
  if (nul[odd]! < sample / 5 || nul[1 - odd]! > sample / 50) return undefined;
  const text = Buffer.alloc(bytes.length >> 1);
  const from = 1 - odd;
  for (let at = 0; at < text.length; at++) text[at] = bytes[2 * at + from]!;
  return text;
}
