/**
 * Reads a text as the program it was written for would read it: one character of a key after the other, whatever
 * escapes write it and whatever stands between two of them. Bytes that are in no key (line breaks, quotation marks, NUL
 * bytes of UTF-16, marks of quotes and diffs) are a gap. What has letters or digits and is no part of a key (escapes,
 * tags, entities, line numbers) is recognised here.
 */

export const UNDERSCORE = 0x5f;
export const IS_KEY_BYTE = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[0-9A-Za-z_]/.test(String.fromCharCode(byte)) ? 1 : 0,
);

/** What was met on the way, for the name of the form. */
export const met = {
  wrap: 1,
  gap: 2,
  nul: 4,
  backslash: 8,
  percent: 16,
  entity: 32,
  quotedPrintable: 64,
  markup: 128,
  wide: 256,
  /** An escape that writes the beginning of another one. */
  layered: 512,
} as const;

/** Bytes between two characters of a key. */
export const GAP_MAX = 160;
const TAG_MAX = 256;

/** Bytes with which something begins whose letters may be no part of a key. */
export const MAY_HIDE = new Uint8Array(256);
for (const byte of [0x5c, 0x25, 0x26, 0x3d, 0x3c, 0x1b, 0xef]) MAY_HIDE[byte] = 1;

const AMPERSAND = 0x26;
const PERCENT = 0x25;
const BACKSLASH = 0x5c;
const EQUALS = 0x3d;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;

export class LogicalReader {
  readonly #bytes: Uint8Array;
  /** Of the next byte. */
  at = 0;
  met = 0;
  /** The text ended before a character came. */
  hasRunOut = false;
  /** Set by the caller once it has read the beginning of a key. */
  hasBegun = false;
  /** How to read a line that begins with a number: as a line number, or as a part of the key. */
  skipsLineNumbers = false;
  /** A backslash before `n`, `r`, `t` is an escape, or it only marks the next character. */
  readsControlEscapes = true;
  #wrapped = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  begin(at: number): void {
    this.at = at;
    this.met = 0;
    this.hasRunOut = false;
    this.hasBegun = false;
    this.#wrapped = false;
  }

  /** The character at this very place, or 0; escapes that write the beginning of another escape are noted. */
  first(): number {
    const byte = this.#bytes[this.at] ?? 0;
    if (IS_KEY_BYTE[byte] === 1) {
      this.at++;
      return byte;
    }
    const code = this.#special(byte);
    if (code > 0 && code < 256 && MAY_HIDE[code] === 1) this.met |= met.layered;
    return code;
  }

  /** The next character that can be in a key, or -1 when none follows within a gap's length. */
  next(): number {
    const bytes = this.#bytes;
    const end = Math.min(bytes.length, this.at + GAP_MAX + TAG_MAX);
    let skipped = 0;
    while (this.at < end) {
      const byte = bytes[this.at]!;
      if (IS_KEY_BYTE[byte] === 1) {
        if (!this.#wrapped) {
          this.at++;
          return byte;
        }
        this.#wrapped = false;
        if (this.skipsLineNumbers && this.#passLineNumber()) continue;
        this.at++;
        return byte;
      }
      const code = this.#special(byte);
      if (code > 0 && code < 256) {
        if (IS_KEY_BYTE[code] === 1) return code;
        if (MAY_HIDE[code] === 1) this.met |= met.layered;
      }
      if (code === LINE_FEED || code === RETURN) this.met |= met.wrap;
      if (++skipped > GAP_MAX) return -1;
    }
    this.hasRunOut = this.at >= bytes.length;
    return -1;
  }

  /** The text with its outermost escapes read, for text that was escaped by two different rules. */
  unescaped(from: number, end: number): Uint8Array {
    const codes: number[] = [];
    this.begin(from);
    while (this.at < end) {
      const at = this.at;
      const byte = this.#bytes[at]!;
      if (IS_KEY_BYTE[byte] === 1) {
        codes.push(byte);
        this.at++;
        continue;
      }
      const code = this.#special(byte);
      if (code > 0 && code < 256) codes.push(code);
      else if (this.at === at + 1) codes.push(byte);
    }
    return Uint8Array.from(codes);
  }

  /** Moves behind what begins with this byte; its character, or 0 for a gap. */
  #special(byte: number): number {
    switch (byte) {
      case BACKSLASH:
        return this.#backslash();
      case PERCENT:
        return this.#percent();
      case AMPERSAND:
        return this.#entity();
      case EQUALS:
        return this.#equals();
      case 0x3c:
        return this.#tag();
      case 0x1b:
        return this.#terminalEscape();
      case 0xef:
        return this.#fullWidth();
      case 0x2b: // UTF-7
        if (this.#isAt(this.at, "+AF8-")) return this.#taken(UNDERSCORE, this.at + 5);
        this.at++;
        this.met |= met.gap;
        return 0;
      default:
        this.at++;
        this.met |= byte === 0 ? met.nul : met.gap;
        if (byte === LINE_FEED) {
          this.met |= met.wrap;
          this.#wrapped = true;
        }
        return 0;
    }
  }

  #hex(at: number, digits: number): number {
    let value = 0;
    for (let i = 0; i < digits; i++) {
      const digit = hexDigit(this.#bytes[at + i]);
      if (digit < 0) return -1;
      value = value * 16 + digit;
    }
    return value;
  }

  #isAt(at: number, text: string): boolean {
    for (let i = 0; i < text.length; i++) if (this.#bytes[at + i] !== text.charCodeAt(i)) return false;
    return true;
  }

  /** Any number of backslashes: each level of JSON in JSON doubles them. */
  #backslash(): number {
    const bytes = this.#bytes;
    while (bytes[this.at] === BACKSLASH) this.at++;
    this.met |= met.backslash;
    const at = this.at;
    switch (bytes[at]) {
      case 0x75: // u
        if (bytes[at + 1] === 0x7b) return this.#braced(at + 2);
        return this.#taken(this.#hex(at + 1, 4), at + 5);
      case 0x55: // U
        return this.#taken(this.#hex(at + 1, 8), at + 9);
      case 0x78: // x
        if (bytes[at + 1] === 0x7b) return this.#braced(at + 2);
        return this.#taken(this.#hex(at + 1, 2), at + 3);
      case 0x4e: // N
        return this.#isAt(at, "N{LOW LINE}") ? this.#taken(UNDERSCORE, at + 11) : 0;
      case 0x27: // RTF: \'5f
        return this.#taken(this.#hex(at + 1, 2), at + 3);
      case 0x6e: // n
      case 0x72: // r
        if (!this.readsControlEscapes) return 0;
        this.#wrapped = true;
        return this.#taken(LINE_FEED, at + 1);
      case 0x74: // t
        if (this.#isAt(at, "textunderscore")) return this.#taken(UNDERSCORE, at + 14);
        return this.readsControlEscapes ? this.#taken(0x09, at + 1) : 0;
    }
    const octal = octalOf(bytes, at);
    if (octal >= 0) return this.#taken(octal, at + 3);
    // CSS: one to six hexadecimal digits and one space.
    const css = this.#hex(at, 2);
    if (css >= 0x2d) return this.#taken(css, bytes[at + 2] === 0x20 ? at + 3 : at + 2);
    return 0;
  }

  #taken(code: number, end: number): number {
    if (code < 0) return 0;
    this.at = end;
    return code;
  }

  #braced(at: number): number {
    let digits = 0;
    while (digits < 8 && hexDigit(this.#bytes[at + digits]) >= 0) digits++;
    if (digits === 0 || this.#bytes[at + digits] !== 0x7d) return 0;
    return this.#taken(this.#hex(at, digits), at + digits + 1);
  }

  #percent(): number {
    this.met |= met.percent;
    let at = this.at + 1;
    this.at = at;
    // Each further encoding writes `%` as `%25`.
    while (this.#isAt(at, "25")) at += 2;
    if (this.#bytes[at] === 0x75) return this.#taken(this.#hex(at + 1, 4), at + 5);
    const code = this.#hex(at, 2);
    if (code === LINE_FEED) this.#wrapped = true;
    return this.#taken(code, at + 2);
  }

  #equals(): number {
    let at = this.at + 1;
    this.at = at;
    while (this.#isAt(at, "3D")) at += 2;
    const code = this.#hex(at, 2);
    if (code >= 0x20) {
      this.met |= met.quotedPrintable;
      return this.#taken(code, at + 2);
    }
    // Between two encoded words of a mail's header: `?=` and `=?UTF-8?Q?`.
    if (this.#bytes[at] === 0x3f) return this.#encodedWord(at + 1);
    this.met |= met.gap;
    if (this.#bytes[at] === LINE_FEED || this.#bytes[at] === RETURN) this.met |= met.quotedPrintable;
    return 0;
  }

  #encodedWord(at: number): number {
    for (let end = at; end < at + 40; end++) {
      if (this.#bytes[end] !== 0x3f) continue;
      if (this.#bytes[end + 2] === 0x3f) this.at = end + 3;
      this.met |= met.quotedPrintable;
      return 0;
    }
    return 0;
  }

  #entity(): number {
    this.met |= met.entity;
    const bytes = this.#bytes;
    let at = this.at + 1;
    this.at = at;
    // Text that was escaped again: `&amp;#95;`.
    for (;;) {
      if (this.#isAt(at, "amp;")) at += 4;
      else if (this.#isAt(at, "#38;")) at += 4;
      else if (this.#isAt(at, "#x26;")) at += 5;
      else break;
    }
    if (bytes[at] === 0x23) return this.#numericEntity(at + 1);
    let end = at;
    while (end < at + 32 && isAlphanumeric(bytes[end])) end++;
    if (bytes[end] !== 0x3b) return 0;
    const name = String.fromCharCode(...bytes.subarray(at, end)).toLowerCase();
    // Every other name is of a character that is in no key.
    return this.#taken(
      name === "lowbar" || name === "underbar" ? UNDERSCORE : name === "newline" ? LINE_FEED : 0,
      end + 1,
    );
  }

  #numericEntity(from: number): number {
    const isHex = this.#bytes[from] === 0x78 || this.#bytes[from] === 0x58;
    const base = isHex ? 16 : 10;
    let at = isHex ? from + 1 : from;
    let value = 0;
    const first = at;
    for (; at < first + 10; at++) {
      const digit = hexDigit(this.#bytes[at]);
      if (digit < 0 || digit >= base) break;
      value = value * base + digit;
    }
    if (at === first) return 0;
    return this.#taken(value, this.#bytes[at] === 0x3b ? at + 1 : at);
  }

  /** `<wbr>`, `</span>`, `<!-- -->`: markup inside a key. */
  #tag(): number {
    const bytes = this.#bytes;
    const opens = bytes[this.at + 1];
    this.at++;
    this.met |= met.markup;
    if (this.#isAt(this.at, "![CDATA[")) return this.#taken(0, this.at + 8);
    if (opens !== 0x2f && opens !== 0x21 && !isAlphanumeric(opens)) return 0;
    const end = Math.min(bytes.length, this.at + TAG_MAX);
    for (let at = this.at; at < end; at++) {
      if (bytes[at] === 0x3c) return 0;
      if (bytes[at] === 0x3e) return this.#taken(0, at + 1);
    }
    return 0;
  }

  /** Colors of a terminal: ESC [ … letter. */
  #terminalEscape(): number {
    const bytes = this.#bytes;
    this.at++;
    this.met |= met.markup;
    if (bytes[this.at] !== 0x5b) return 0;
    for (let at = this.at + 1; at < this.at + 32; at++) {
      const byte = bytes[at] ?? 0;
      if (byte >= 0x40 && byte <= 0x7e) return this.#taken(0, at + 1);
    }
    return 0;
  }

  /** U+FF01 to U+FF5E are ASCII in full width. */
  #fullWidth(): number {
    const second = this.#bytes[this.at + 1] ?? 0;
    const third = this.#bytes[this.at + 2] ?? 0;
    if ((second !== 0xbc && second !== 0xbd) || third < 0x80) {
      this.at++;
      return 0;
    }
    this.met |= met.wide;
    return this.#taken((second === 0xbc ? third - 0x80 : third - 0x40) + 0x20, this.at + 3);
  }

  /** `  12: `, `12 | `: what `cat -n`, `grep -n` and pages put before a line. */
  #passLineNumber(): boolean {
    const bytes = this.#bytes;
    let at = this.at;
    while (at < this.at + 7 && bytes[at]! >= 0x30 && bytes[at]! <= 0x39) at++;
    if (at === this.at || at > this.at + 6) return false;
    const after = bytes[at] ?? 0;
    if (IS_KEY_BYTE[after] === 1 || after === LINE_FEED || after === RETURN) return false;
    this.at = at;
    return true;
  }
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function octalOf(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0] = [bytes[at], bytes[at + 1], bytes[at + 2]];
  if (a < 0x30 || a > 0x31 || b < 0x30 || b > 0x37 || c < 0x30 || c > 0x37) return -1;
  return (a - 0x30) * 64 + (b - 0x30) * 8 + (c - 0x30);
}

function isAlphanumeric(byte: number | undefined): boolean {
  return byte !== undefined && IS_KEY_BYTE[byte] === 1 && byte !== UNDERSCORE;
}
