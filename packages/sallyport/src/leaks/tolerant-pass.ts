/**
 * Finds keys that a text does not contain byte for byte: wrapped, quoted, escaped, split into string literals, in
 * UTF-16. It looks for `s` and `p`, however each is written, and from there reads characters as `LogicalReader` does.
 * The checksum is the judge, so reading generously costs time and makes no false finding.
 */
import { KEY_ID_LENGTH, KEY_SECRET_LENGTH, parseKeyText } from "@sallyport/protocol";
import type { KeyText } from "@sallyport/protocol";
import { GAP_MAX, IS_KEY_BYTE, LogicalReader, MAY_HIDE, met, UNDERSCORE } from "./logical-character.ts";

export interface KeyAsWritten {
  readonly key: KeyText;
  readonly start: number;
  /** How it was written: `plain`, or names joined by `+`. */
  readonly form: string;
}

const S = 0x73;
const P = 0x70;
const TAIL = KEY_SECRET_LENGTH + 6;
const ENVIRONMENT_MAX = 16;
/** More than any key with every character escaped twice. */
const LAYERED_BYTES = [64, 4_096];
const LAYERS_MAX = 2;
const EQUALS = 0x3d;
const LINE_FEED = 0x0a;

/** Bytes with which a character can begin that is not written as itself: `\`, `%`, `&`, `=`, and U+FF53 in UTF-8. */
const BEGINS_ESCAPE = new Uint8Array(256);
for (const byte of [0x5c, 0x25, 0x26, EQUALS, 0xef]) BEGINS_ESCAPE[byte] = 1;
const MAY_BEGIN = BEGINS_ESCAPE.slice();
MAY_BEGIN[S] = 1;

/** Ways to read what can be read in more than one way; the first is the usual one. */
const READINGS = [
  { skipsLineNumbers: false, readsControlEscapes: true },
  { skipsLineNumbers: true, readsControlEscapes: true },
  { skipsLineNumbers: false, readsControlEscapes: false },
] as const;

export function findWrittenKeys(bytes: Uint8Array, onKey: (found: KeyAsWritten) => void): void {
  const reader = new LogicalReader(bytes);
  const { length } = bytes;
  for (let at = 0; at < length; at++) {
    while (at < length && MAY_BEGIN[bytes[at]!] === 0) at++;
    if (at === length) return;
    if (bytes[at] === S ? !goesOn(bytes, at + 1) : !beginsEscapedS(bytes, at)) continue;
    const found = readKey(reader, at) ?? readLayers(reader, bytes, at, LAYERS_MAX);
    if (found) onKey(found);
  }
}

/** For a text that was escaped by two rules, such as `%5Cu005f`: reads the outer escapes of a piece, then the inner ones. */
function readLayers(reader: LogicalReader, bytes: Uint8Array, at: number, left: number): KeyAsWritten | undefined {
  if (left === 0 || (reader.met & met.layered) === 0) return undefined;
  // A short piece decides nearly always: a hostile text must not make each of its bytes cost a long one.
  for (const length of LAYERED_BYTES) {
    const inner = reader.unescaped(at, Math.min(bytes.length, at + length));
    const innerReader = new LogicalReader(inner);
    const found = readKey(innerReader, 0) ?? readLayers(innerReader, inner, 0, left - 1);
    if (found) return { ...found, start: at, form: `escaped+${found.form}` };
    if (!innerReader.hasBegun || !innerReader.hasRunOut) return undefined;
  }
  return undefined;
}

/** Whether `p` can follow. Nearly every `s` of a text is rejected here, without the reader. */
function goesOn(bytes: Uint8Array, from: number): boolean {
  const first = bytes[from]!;
  if (first === P) return goesOnAfterP(bytes, from + 1);
  if (IS_KEY_BYTE[first] === 1) return false;
  let isNewLine = false;
  const end = Math.min(bytes.length, from + GAP_MAX);
  for (let at = from; at < end; at++) {
    const byte = bytes[at]!;
    // A line can begin with its number.
    if (IS_KEY_BYTE[byte] === 1) return byte === P || (isNewLine && byte <= 0x39);
    if (byte === LINE_FEED) isNewLine = true;
    else if (MAY_HIDE[byte] === 1) return byte !== EQUALS || isQuotedPrintable(bytes[at + 1]);
  }
  return false;
}

function goesOnAfterP(bytes: Uint8Array, from: number): boolean {
  const third = bytes[from]!;
  if (third === UNDERSCORE) return true;
  if (IS_KEY_BYTE[third] === 0) return true;
  if (third !== 0x61 && third !== 0x74 && third !== 0x65 && third !== P) return false;
  const fourth = bytes[from + 1]!;
  return fourth === UNDERSCORE || IS_KEY_BYTE[fourth] === 0;
}

/** After `=`: two hexadecimal digits of `p` or of another `=`, a line break, or the end of an encoded word. */
function isQuotedPrintable(byte: number | undefined): boolean {
  return byte === 0x37 || byte === 0x33 || byte === LINE_FEED || byte === 0x0d || byte === 0x3f;
}

/** Cheap, and wrong only by letting too much through. */
function beginsEscapedS(bytes: Uint8Array, at: number): boolean {
  const next = bytes[at + 1]!;
  const third = bytes[at + 2]!;
  switch (bytes[at]) {
    case 0x5c: // of several backslashes the last
      if (next === 0x78) return third === 0x37 || third === 0x7b; // \x73, \x{73}
      if (next === 0x75 || next === 0x55) return third === 0x30 || third === 0x7b; // \u0073, \u{73}
      if (next === 0x31) return third === 0x36; // \163
      return (next === 0x37 && third === 0x33) || (next === 0x27 && third === 0x37); // \73, \'73
    case 0x25: // %73, %2573, %u0073
      if (next === 0x32) return third === 0x35 || third === 0x36; // and %26
      return (next === 0x37 && third === 0x33) || next === 0x75 || (next === 0x35 && (third | 0x20) === 0x63); // and %5C
    case EQUALS: // =73, =3D73
      return (next === 0x37 && third === 0x33) || (next === 0x33 && third === 0x44);
    case 0x26: // &#115; &#x73; &amp;#115;
      return next === 0x23 || (next === 0x61 && third === 0x6d);
    default: // U+FF53
      return next === 0xbd && third === 0x93;
  }
}

function readKey(reader: LogicalReader, at: number): KeyAsWritten | undefined {
  for (const reading of READINGS) {
    reader.skipsLineNumbers = reading.skipsLineNumbers;
    reader.readsControlEscapes = reading.readsControlEscapes;
    reader.begin(at);
    const text = readText(reader);
    const key = text === undefined ? undefined : parseKeyText(text);
    if (key) return { key, start: at, form: formOf(reader.met) };
    // Without a line break or a backslash there is one way to read it.
    if ((reader.met & (met.wrap | met.backslash)) === 0) return undefined;
  }
  return undefined;
}

/** A text of a key's form, or undefined as soon as a character does not fit. */
function readText(reader: LogicalReader): string | undefined {
  if (reader.first() !== S || reader.next() !== P) return undefined;
  reader.hasBegun = true;
  let text = "sp";
  let code = reader.next();
  if (code !== UNDERSCORE) {
    if (code !== 0x61 && code !== 0x74 && code !== 0x65 && code !== P) return undefined;
    text += String.fromCharCode(code);
    if (reader.next() !== UNDERSCORE) return undefined;
  }
  text += "_";
  for (let length = 0; ; length++) {
    code = reader.next();
    if (code === UNDERSCORE && length > 0) break;
    const isLetter = code >= 0x61 && code <= 0x7a;
    const isDigit = code >= 0x30 && code <= 0x39;
    if (length === ENVIRONMENT_MAX || !(isLetter || (isDigit && length > 0))) return undefined;
    text += String.fromCharCode(code);
  }
  text += "_";
  for (let left = KEY_ID_LENGTH; left > 0; left--) {
    code = reader.next();
    if (code === UNDERSCORE || code < 0) return undefined;
    text += String.fromCharCode(code);
  }
  if (reader.next() !== UNDERSCORE) return undefined;
  text += "_";
  for (let left = TAIL; left > 0; left--) {
    code = reader.next();
    if (code === UNDERSCORE || code < 0) return undefined;
    text += String.fromCharCode(code);
  }
  return text;
}

const NAMES = [
  [met.nul, "utf-16"],
  [met.backslash, "backslash"],
  [met.percent, "percent"],
  [met.entity, "html-entity"],
  [met.quotedPrintable, "quoted-printable"],
  [met.markup, "markup"],
  [met.wide, "full-width"],
  [met.wrap, "wrapped"],
] as const;

function formOf(seen: number): string {
  const names = NAMES.filter(([bit]) => (seen & bit) !== 0).map(([, name]) => name);
  if (names.length > 0) return names.join("+");
  return seen === 0 ? "plain" : "split";
}
