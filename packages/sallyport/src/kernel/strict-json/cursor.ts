/**
 * A strict reader of JSON (RFC 8259), the only one for bytes from outside. It walks the text once and builds no tree: what
 * is asked for is handed out as validated lexemes, exactly as written, so that a 64-bit integer stays one.
 * The text is the body's bytes as latin1, so positions are byte offsets and every slice turns back into the same bytes.
 */
import { isUtf8 } from "node:buffer";
import type { ProblemCode } from "@sallyport/protocol";
import { decodeString } from "./decode-string.ts";

export const JSON_DEPTH_MAX = 64;
/** Most values in one document: what bounds the time of a walk. */
export const JSON_VALUES_MAX = 250_000;
export const JSON_KEYS_MAX = 10_000;
/** The longest name of a member, as written: names are decoded and compared, so they stay short. */
export const JSON_KEY_LENGTH_MAX = 4_096;
/** The longest number, as written. A double needs 24 characters; integers of signatures and keys a little more. */
export const JSON_NUMBER_LENGTH_MAX = 512;

/** Thrown inside the reader only; its caller turns it into a denial, which is a value. */
export class JsonRefused extends Error {
  readonly code: ProblemCode;
  readonly detail: string;

  constructor(code: ProblemCode, detail: string) {
    super(detail);
    this.name = "JsonRefused";
    this.code = code;
    this.detail = detail;
  }
}

const RUN_WALKED_MAX = 32;
const PLAIN = /[^"\\\x00-\x1f]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

export type JsonKind = "object" | "array" | "string" | "number" | "boolean" | "null";

export class JsonCursor {
  readonly text: string;
  at = 0;
  /** Names of the struct fields that are open, for the place of a mistake. */
  readonly path: string[] = [];
  #depth = 0;
  #values = 0;

  constructor(body: Buffer) {
    if (!isUtf8(body)) throw new JsonRefused("json_malformed", "not UTF-8");
    this.text = body.toString("latin1");
    this.#skipSpace();
  }

  kind(): JsonKind {
    switch (this.text.charCodeAt(this.at)) {
      case 0x7b:
        return "object";
      case 0x5b:
        return "array";
      case 0x22:
        return "string";
      case 0x74:
      case 0x66:
        return "boolean";
      case 0x6e:
        return "null";
      default:
        return "number";
    }
  }

  /** Enters an object or array; false (and past its end) when it is empty. */
  open(first: "{" | "["): boolean {
    if (this.text.charCodeAt(this.at) !== (first === "{" ? 0x7b : 0x5b)) throw this.malformed();
    if (++this.#depth > JSON_DEPTH_MAX) throw new JsonRefused("json_too_deep", `more than ${JSON_DEPTH_MAX} levels`);
    this.at++;
    this.#skipSpace();
    if (this.text.charCodeAt(this.at) !== (first === "{" ? 0x7d : 0x5d)) return true;
    this.at++;
    this.#depth--;
    return false;
  }

  /** After a member: true when another follows, false when the object or array has been left. */
  more(last: "}" | "]"): boolean {
    this.#skipSpace();
    const mark = this.text.charCodeAt(this.at);
    if (mark === 0x2c) {
      this.at++;
      this.#skipSpace();
      return true;
    }
    if (mark !== (last === "}" ? 0x7d : 0x5d)) throw this.malformed();
    this.at++;
    this.#depth--;
    return false;
  }

  /** A member's name, decoded, and past its colon. */
  key(): string {
    const lexeme = this.stringLexeme();
    if (lexeme.length > JSON_KEY_LENGTH_MAX)
      throw new JsonRefused("json_malformed", `a key of more than ${JSON_KEY_LENGTH_MAX} bytes`);
    this.#skipSpace();
    if (this.text.charCodeAt(this.at) !== 0x3a) throw this.malformed();
    this.at++;
    this.#skipSpace();
    return decodeString(lexeme);
  }

  /** A string with its quotes, validated and as written. */
  stringLexeme(): string {
    const start = this.at;
    if (this.text.charCodeAt(start) !== 0x22) throw this.malformed();
    const { text } = this;
    let at = start + 1;
    // Short runs are walked character by character, long ones left to the engine, which skips them faster.
    for (let run = 0; ;) {
      const code = text.charCodeAt(at);
      if (code === 0x22) break;
      if (code === 0x5c) {
        const length = escapeLength(text, at);
        if (length === 0) throw this.#malformedAt(at);
        at += length;
        run = 0;
        // NaN, past the end, is no character either.
      } else if (!(code >= 0x20)) throw this.#malformedAt(at);
      else if (++run < RUN_WALKED_MAX) at++;
      else {
        PLAIN.lastIndex = at;
        PLAIN.test(text);
        at = PLAIN.lastIndex;
        run = 0;
      }
    }
    this.at = at + 1;
    return text.slice(start, at + 1);
  }

  numberLexeme(): string {
    const start = this.at;
    this.#skipNumber();
    return this.text.slice(start, this.at);
  }

  #skipNumber(): void {
    const { text, at } = this;
    let end = at;
    for (let code = text.charCodeAt(end); code >= 0x30 && code <= 0x39; code = text.charCodeAt(end)) end++;
    const next = text.charCodeAt(end);
    // Nearly every number is a plain whole one: signs, fractions, exponents and leading zeros are the pattern's.
    const isPlain =
      end > at && next !== 0x2e && (next | 0x20) !== 0x65 && (end === at + 1 || text.charCodeAt(at) !== 0x30);
    if (!isPlain) {
      NUMBER.lastIndex = at;
      if (!NUMBER.test(text)) throw this.malformed();
      end = NUMBER.lastIndex;
    }
    if (end - at > JSON_NUMBER_LENGTH_MAX)
      throw new JsonRefused("json_malformed", `a number of more than ${JSON_NUMBER_LENGTH_MAX} characters`);
    this.at = end;
  }

  /** `true`, `false` or `null`. */
  word(word: "true" | "false" | "null"): string {
    if (!this.text.startsWith(word, this.at)) throw this.malformed();
    this.at += word.length;
    return word;
  }

  /** Any value, validated whole (no key twice in any object), as written. */
  value(): string {
    const start = this.at;
    this.#skipValue();
    return this.text.slice(start, this.at);
  }

  /** Counts one value towards the bound; called for every value by its reader. */
  count(): void {
    if (++this.#values > JSON_VALUES_MAX)
      throw new JsonRefused("body_too_large", `more than ${JSON_VALUES_MAX} JSON values`);
  }

  /** Nothing but white space may follow the document. */
  end(): void {
    this.#skipSpace();
    if (this.at < this.text.length) throw new JsonRefused("json_malformed", `trailing bytes at ${this.at}`);
  }

  malformed(): JsonRefused {
    return new JsonRefused("json_malformed", this.at >= this.text.length ? "it ends too early" : `at byte ${this.at}`);
  }

  #malformedAt(at: number): JsonRefused {
    this.at = at;
    return this.malformed();
  }

  #skipValue(): void {
    this.count();
    switch (this.kind()) {
      case "object":
        this.#skipObject();
        break;
      case "array":
        if (this.open("["))
          do this.#skipValue();
          while (this.more("]"));
        break;
      case "string":
        this.stringLexeme();
        break;
      case "number":
        this.#skipNumber();
        break;
      case "null":
        this.word("null");
        break;
      case "boolean":
        this.word(this.text[this.at] === "t" ? "true" : "false");
    }
  }

  #skipObject(): void {
    if (!this.open("{")) return;
    // Most objects of a hostile text have one member: a set is made for the second.
    const first = this.key();
    this.#skipValue();
    if (!this.more("}")) return;
    const seen = new Set<string>([first]);
    do {
      once(seen, this.key());
      this.#skipValue();
    } while (this.more("}"));
  }

  #skipSpace(): void {
    const { text } = this;
    let { at } = this;
    for (; ; at++) {
      const code = text.charCodeAt(at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break;
    }
    this.at = at;
  }
}

/** Notes a key of one object; rejects the second of the same name, and more than any honest object has. */
export function once(seen: Set<string>, key: string): void {
  if (seen.has(key)) throw new JsonRefused("json_duplicate_key", key.slice(0, 80));
  if (seen.size >= JSON_KEYS_MAX)
    throw new JsonRefused("body_too_large", `more than ${JSON_KEYS_MAX} keys in one object`);
  seen.add(key);
}

/** Characters of the escape that begins at `at` (RFC 8259 section 7); 0 if it is invalid. */
function escapeLength(text: string, at: number): number {
  const letter = text.charCodeAt(at + 1);
  if (letter !== 0x75) return SIMPLE_ESCAPES[letter] === 1 ? 2 : 0;
  for (let digit = at + 2; digit < at + 6; digit++) {
    const code = text.charCodeAt(digit);
    const isHex = (code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66) || (code >= 0x41 && code <= 0x46);
    if (!isHex) return 0;
  }
  return 6;
}

/** 1 for the letters that follow a backslash alone. */
const SIMPLE_ESCAPES = new Uint8Array(256);
for (const letter of '"\\/bfnrt') SIMPLE_ESCAPES[letter.charCodeAt(0)] = 1;
