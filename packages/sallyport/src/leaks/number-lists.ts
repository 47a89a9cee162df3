/**
 * Finds keys that are written as numbers: `[115, 112, 95]` of a serialised buffer, `{0x73, 0x70, 0x5f}` of a C array,
 * `73 70 5f` of a dump. It looks for the codes of `s` and `p` and reads on as long as numbers follow.
 */

export interface NumberList {
  readonly start: number;
  readonly form: "decimal-codes" | "hex-codes";
  readonly bytes: Buffer;
}

const SEPARATOR_MAX = 120;
/** The shortest key has 67 characters. */
const CODES_MIN = 67;
const CODES_MAX = 1_000_000;
const DUMP_LINE = /^[0-9a-f]{4,8}:?\s+((?:[0-9a-f]{2,4}[ \t]{1,2}){1,16})/i;
const DUMP_LINES_MAX = 200_000;

export function decodeNumberLists(bytes: Buffer, onList: (list: NumberList) => void): void {
  readLists(bytes, 10, (start, codes) => onList({ start, form: "decimal-codes", bytes: Buffer.from(codes) }));
  readLists(bytes, 16, (start, codes) => onList({ start, form: "hex-codes", bytes: Buffer.from(codes) }));
  decodeDump(bytes, onList);
}

/** A list is read to its end, once: a key may begin anywhere in it. */
function readLists(bytes: Buffer, base: 10 | 16, onCodes: (start: number, codes: readonly number[]) => void): void {
  const begins = base === 10 ? "115" : "73";
  let at = bytes.indexOf(begins);
  while (at >= 0) {
    let end = at + begins.length;
    // Digits that touch are a run of hexadecimal digits, and read as such.
    if (base === 10 || !isHexDigit(bytes[end])) {
      const list = readNumbers(bytes, at, base);
      if (list.codes[1] === 0x70) {
        end = Math.max(end, list.end);
        if (list.codes.length >= CODES_MIN) onCodes(at, list.codes);
      }
    }
    at = bytes.indexOf(begins, end);
  }
}

function isHexDigit(byte: number | undefined): boolean {
  return byte !== undefined && ((byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66));
}

interface Numbers {
  readonly codes: readonly number[];
  /** After the last number. */
  readonly end: number;
}

function readNumbers(bytes: Buffer, from: number, base: 10 | 16): Numbers {
  const codes: number[] = [];
  const digitsMax = base === 10 ? 3 : 2;
  let at = from;
  let end = from;
  while (codes.length < CODES_MAX) {
    let value = 0;
    let digits = 0;
    for (; digits < digitsMax && isDigit(bytes[at + digits], base); digits++)
      value = value * base + Number.parseInt(String.fromCharCode(bytes[at + digits]!), 16);
    if (digits === 0 || value > 0x7f || value < 0x30) return { codes, end };
    codes.push(value);
    at += digits;
    end = at;
    // The second code decides early whether this is a list at all.
    if (codes.length === 2 && value !== 0x70) return { codes, end };
    const limit = at + SEPARATOR_MAX;
    while (at < limit && !isDigit(bytes[at], base)) at++;
    if (at === limit) return { codes, end };
    if (bytes[at] === 0x30 && (bytes[at + 1] ?? 0) === 0x78) at += 2;
  }
  return { codes, end };
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
