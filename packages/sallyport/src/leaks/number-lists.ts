/**
 * Finds keys that are written as numbers: `[115, 112, 95]` of a serialised buffer, `{0x73, 0x70, 0x5f}` of a C array,
 * `73 70 5f` of a dump. It looks for the codes of `s` and `p` and reads on as long as numbers follow.
 */
import { KEY_TEXT_MAX } from "@sallyport/protocol";

export interface NumberList {
  readonly start: number;
  readonly form: "decimal-codes" | "hex-codes";
  readonly bytes: Buffer;
}

const SEPARATOR_MAX = 120;
const DUMP_LINE = /^[0-9a-f]{4,8}:?\s+((?:[0-9a-f]{2,4}[ \t]{1,2}){1,16})/i;
const DUMP_LINES_MAX = 200_000;

export function decodeNumberLists(bytes: Buffer, onList: (list: NumberList) => void): void {
  for (let at = bytes.indexOf("115"); at >= 0; at = bytes.indexOf("115", at + 3)) {
    const codes = readNumbers(bytes, at, 10);
    if (codes[1] === 0x70 && codes.length > 60) onList({ start: at, form: "decimal-codes", bytes: Buffer.from(codes) });
  }
  for (let at = bytes.indexOf("73"); at >= 0; at = bytes.indexOf("73", at + 2)) {
    // Digits that touch are a run of hexadecimal digits, and read as such.
    if (isHexDigit(bytes[at + 2])) continue;
    const codes = readNumbers(bytes, at, 16);
    if (codes[1] === 0x70 && codes.length > 60) onList({ start: at, form: "hex-codes", bytes: Buffer.from(codes) });
  }
  decodeDump(bytes, onList);
}

function isHexDigit(byte: number | undefined): boolean {
  return byte !== undefined && ((byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66));
}

function readNumbers(bytes: Buffer, from: number, base: 10 | 16): number[] {
  const codes: number[] = [];
  const digitsMax = base === 10 ? 3 : 2;
  let at = from;
  while (codes.length < KEY_TEXT_MAX) {
    let value = 0;
    let digits = 0;
    for (; digits < digitsMax && isDigit(bytes[at + digits], base); digits++)
      value = value * base + Number.parseInt(String.fromCharCode(bytes[at + digits]!), 16);
    if (digits === 0 || value > 0x7f || value < 0x30) return codes;
    codes.push(value);
    at += digits;
    // The second code decides early whether this is a list at all.
    if (codes.length === 2 && value !== 0x70) return codes;
    const limit = at + SEPARATOR_MAX;
    while (at < limit && !isDigit(bytes[at], base)) at++;
    if (at === limit) return codes;
    if (bytes[at] === 0x30 && (bytes[at + 1] ?? 0) === 0x78) at += 2;
  }
  return codes;
}

function isDigit(byte: number | undefined, base: 10 | 16): boolean {
  return base === 16 ? isHexDigit(byte) : byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

/** What `xxd` and `hexdump -C` print: an offset, bytes, and the same as text. */
function decodeDump(bytes: Buffer, onList: (list: NumberList) => void): void {
  const begins = bytes.indexOf("00000010");
  if (begins < 0) return;
  const start = Math.max(0, bytes.lastIndexOf("\n", Math.max(0, begins - 2)) + 1);
  const codes: string[] = [];
  let at = start;
  for (let line = 0; line < DUMP_LINES_MAX && at < bytes.length; line++) {
    const end = bytes.indexOf(0x0a, at);
    const text = bytes.toString("latin1", at, Math.min(at + 120, end < 0 ? bytes.length : end));
    const matched = DUMP_LINE.exec(`${text} `);
    if (matched) codes.push(matched[1]!.replace(/\s/g, ""));
    else if (codes.length > 1) break;
    if (end < 0) break;
    at = end + 1;
  }
  onList({ start, form: "hex-codes", bytes: Buffer.from(codes.join(""), "hex") });
}
