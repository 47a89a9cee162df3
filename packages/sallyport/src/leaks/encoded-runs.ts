/**
 * Finds runs of base64, base32 and hexadecimal digits in bytes, also where they are wrapped or quoted, and decodes them
 * at every alignment: where a run begins is not known when other letters touch it.
 */

const RUN_MIN = 24;
/** The shortest key has 67 bytes: 90 characters of base64. */
const CHARACTERS_MIN = 88;
const BASE32_MIN = 106;
const HEX_MIN = 134;
/** gzip, zip and zstd in base64. */
const ARCHIVE_BEGINS = ["H4sI", "UEsDB", "KLUv"];
const GAP_MAX = 48;
const RUN_MAX_CHARACTERS = 64 * 1024 * 1024;

const IS_BASE64 = tableOf(/[0-9A-Za-z+/_-]/);
const IS_GAP = tableOf(/[\s"'`,\\>|#*;()&$=%]/);
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

export interface DecodedRun {
  /** Of its first character in the bytes. */
  readonly start: number;
  readonly form: "base64" | "base32" | "hex";
  readonly bytes: Buffer;
}

export function decodeRuns(bytes: Buffer, onRun: (run: DecodedRun) => void): void {
  let passed = -1;
  for (;;) {
    const last = passed + RUN_MIN;
    if (last >= bytes.length) return;
    let at = last;
    while (at > passed && IS_BASE64[bytes[at]!] === 1) at--;
    if (at > passed) {
      passed = at;
      continue;
    }
    passed = takeRun(bytes, at + 1, onRun);
  }
}

/** Decodes the run around `at`, and returns the place of its last byte. */
function takeRun(bytes: Buffer, at: number, onRun: (run: DecodedRun) => void): number {
  const start = firstOf(bytes, at);
  const { pieces, length, end, marks } = collect(bytes, start);
  if (length >= CHARACTERS_MIN) {
    decodeAll(textOf(bytes, pieces), start, onRun);
    // The mark of a diff is a character of base64, too: both readings count.
    if (marks > 0) decodeAll(textOf(bytes, collect(bytes, start, true).pieces), start, onRun);
  }
  return Math.max(at, end - 1);
}

/** The first piece of a wrapped run may be short: one line before is taken with it. */
function firstOf(bytes: Buffer, at: number): number {
  let start = at;
  while (start > 0 && IS_BASE64[bytes[start - 1]!] === 1) start--;
  let before = start;
  while (before > 0 && start - before < GAP_MAX && IS_GAP[bytes[before - 1]!] === 1) before--;
  if (before === start || before === 0 || !bytes.subarray(before, start).includes(0x0a)) return start;
  while (before > 0 && IS_BASE64[bytes[before - 1]!] === 1) before--;
  return before;
}

interface Collected {
  /** Beginnings and ends, in turn; a beginning below 0 stands for the character with that code. */
  readonly pieces: readonly number[];
  /** In characters. */
  readonly length: number;
  readonly end: number;
  /** Lines that begin with `+` or `-`. */
  readonly marks: number;
}

function collect(bytes: Buffer, start: number, skipsMarks = false): Collected {
  const pieces: number[] = [];
  let length = 0;
  let marks = 0;
  let at = start;
  let end = start;
  while (length < RUN_MAX_CHARACTERS) {
    const from = at;
    while (IS_BASE64[bytes[at]!] === 1) at++;
    if (at > from) pieces.push(from, at);
    length += at - from;
    end = at;
    const escaped = escapedCharacter(bytes, at);
    if (escaped) {
      pieces.push(-escaped.character.charCodeAt(0), 0);
      length++;
      at = escaped.end;
      continue;
    }
    const next = passGap(bytes, at);
    if (next < 0) break;
    at = next;
    if (bytes[at] === 0x2b || bytes[at] === 0x2d) {
      marks++;
      if (skipsMarks) while (bytes[at] === 0x2b || bytes[at] === 0x2d || bytes[at] === 0x20) at++;
    }
  }
  return { pieces, length, end, marks };
}

/** `\/` of JSON, `%2B` and `%2F` of addresses. */
function escapedCharacter(bytes: Buffer, at: number): { readonly character: string; readonly end: number } | undefined {
  if (bytes[at] === 0x5c && bytes[at + 1] === 0x2f) return { character: "/", end: at + 2 };
  if (bytes[at] !== 0x25) return undefined;
  const code = bytes.toString("latin1", at + 1, at + 3).toUpperCase();
  const character = code === "2B" ? "+" : code === "2F" ? "/" : undefined;
  return character === undefined ? undefined : { character, end: at + 3 };
}

/** Where the run goes on after a line break or between two string literals, or -1. */
function passGap(bytes: Buffer, from: number): number {
  let at = from;
  let isJoined = false;
  while (at - from < GAP_MAX) {
    const byte = bytes[at];
    if (byte === undefined) return -1;
    if (byte === 0x5c && (bytes[at + 1] === 0x6e || bytes[at + 1] === 0x72)) {
      isJoined = true;
      at += 2;
      continue;
    }
    if (IS_BASE64[byte] === 1) return isJoined && at > from ? at : -1;
    if (IS_GAP[byte] === 0) return -1;
    if (byte === 0x0a || byte === 0x22 || byte === 0x27) isJoined = true;
    at++;
  }
  return -1;
}

function textOf(bytes: Buffer, pieces: readonly number[]): string {
  let text = "";
  for (let i = 0; i < pieces.length; i += 2) {
    const from = pieces[i]!;
    text += from < 0 ? String.fromCharCode(-from) : bytes.toString("latin1", from, pieces[i + 1]);
  }
  return text;
}

function decodeAll(text: string, start: number, onRun: (run: DecodedRun) => void): void {
  for (let shift = 0; shift < 4; shift++)
    onRun({ start, form: "base64", bytes: Buffer.from(shift === 0 ? text : text.slice(shift), "base64") });
  // Other letters may touch an archive, too.
  for (const magic of ARCHIVE_BEGINS) {
    const at = text.indexOf(magic, 4);
    if (at > 0) onRun({ start, form: "base64", bytes: Buffer.from(text.slice(at), "base64") });
  }
  for (const [digits] of text.matchAll(/[0-9A-Fa-f]+/g))
    if (digits.length >= HEX_MIN)
      for (let shift = 0; shift < 2; shift++)
        onRun({ start, form: "hex", bytes: Buffer.from(digits.slice(shift), "hex") });
  for (const [digits] of text.matchAll(/[A-Za-z2-7]+/g))
    if (digits.length >= BASE32_MIN && (digits === digits.toUpperCase() || digits === digits.toLowerCase()))
      for (let shift = 0; shift < 8; shift++)
        onRun({ start, form: "base32", bytes: fromBase32(digits.slice(shift).toUpperCase()) });
}

function fromBase32(text: string): Buffer {
  const bytes = Buffer.alloc(Math.floor((text.length * 5) / 8));
  let bits = 0;
  let value = 0;
  let at = 0;
  for (const character of text) {
    value = ((value << 5) | BASE32.indexOf(character)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = (value >>> bits) & 0xff;
  }
  return bytes;
}

function tableOf(pattern: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (byte < 128 && pattern.test(String.fromCharCode(byte)) ? 1 : 0));
}
