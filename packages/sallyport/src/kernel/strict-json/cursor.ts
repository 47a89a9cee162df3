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
export const JSON_VALUES_MAX = 500_000;
export const JSON_KEYS_MAX = 10_000;
/** The longest name of a member, as written: names are decoded and compared, so they stay short. */
export const JSON_KEY_LENGTH_MAX = 4_096;
/** The longest number, as written. A double needs 24 characters; integers of signatures and keys a little more. */
export const JSON_NUMBER_LENGTH_MAX = 512;

/** Thrown inside the reader only; whoever calls it turns it into a refusal, which is a value. */
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
    if (this.text[this.at] !== first) throw this.malformed();
    if (++this.#depth > JSON_DEPTH_MAX) throw new JsonRefused("json_too_deep", `more than ${JSON_DEPTH_MAX} levels`);
    this.at++;
    this.#skipSpace();
    if (this.text[this.at] !== (first === "{" ? "}" : "]")) return true;
    this.at++;
    this.#depth--;
    return false;
  }

  /** After a member: true when another follows, false when the object or array has been left. */
  more(last: "}" | "]"): boolean {
    this.#skipSpace();
    const mark = this.text[this.at];
    if (mark === ",") {
      this.at++;
      this.#skipSpace();
      return true;
    }
    if (mark !== last) throw this.malformed();
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
    if (this.text[this.at] !== ":") throw this.malformed();
    this.at++;
    this.#skipSpace();
    return decodeString(lexeme);
  }

  /** A string with its quotes, validated and as written. */
  stringLexeme(): string {
    const start = this.at;
    if (this.text.charCodeAt(start) !== 0x22) throw this.malformed();
    let at = start + 1;
    for (;;) {
      at = this.#endOfPlain(at);
      const next = this.text.charCodeAt(at);
      if (next === 0x22) break;
      this.at = at;
      if (next !== 0x5c) throw this.malformed();
      const length = escapeLength(this.text, at);
      if (length === 0) throw this.malformed();
      at += length;
    }
    this.at = at + 1;
    return this.text.slice(start, at + 1);
  }

  numberLexeme(): string {
    NUMBER.lastIndex = this.at;
    if (!NUMBER.test(this.text)) throw this.malformed();
    if (NUMBER.lastIndex - this.at > JSON_NUMBER_LENGTH_MAX)
      throw new JsonRefused("json_malformed", `a number of more than ${JSON_NUMBER_LENGTH_MAX} characters`);
    const lexeme = this.text.slice(this.at, NUMBER.lastIndex);
    this.at = NUMBER.lastIndex;
    return lexeme;
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

  /** Counts one value towards the bound; called for every value, by whoever reads it. */
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

  /** Where the run of characters that need no look ends. Short runs are walked, long ones left to the engine. */
  #endOfPlain(start: number): number {
    const { text } = this;
    for (let at = start; at < start + 32; at++) {
      const code = text.charCodeAt(at);
      // NaN, past the end, is no plain character either.
      if (!(code >= 0x20 && code !== 0x22 && code !== 0x5c)) return at;
    }
    PLAIN.lastIndex = start + 32;
    PLAIN.test(text);
    return PLAIN.lastIndex;
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
        this.numberLexeme();
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
    const seen = new Set<string>();
    do {
      once(seen, this.key());
      this.#skipValue();
    } while (this.more("}"));
  }

  #skipSpace(): void {
    for (; ; this.at++) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    }
  }
}

/** Notes a key of one object; refuses the second of the same name, and more than any honest object has. */
export function once(seen: Set<string>, key: string): void {
  if (seen.has(key)) throw new JsonRefused("json_duplicate_key", key.slice(0, 80));
  if (seen.size >= JSON_KEYS_MAX)
    throw new JsonRefused("body_too_large", `more than ${JSON_KEYS_MAX} keys in one object`);
  seen.add(key);
}

/** Characters of the escape that begins at `at` (RFC 8259 section 7); 0 where it is none. */
function escapeLength(text: string, at: number): number {
  const letter = text.charCodeAt(at + 1);
  if (letter !== 0x75) return SIMPLE_ESCAPES.includes(letter) ? 2 : 0;
  for (let digit = at + 2; digit < at + 6; digit++) {
    const code = text.charCodeAt(digit);
    const isHex = (code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66) || (code >= 0x41 && code <= 0x46);
    if (!isHex) return 0;
  }
  return 6;
}

/** `"`, `\`, `/`, b, f, n, r, t. */
const SIMPLE_ESCAPES: readonly number[] = [0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74];
