/**
 * Finds credentials inside bytes, in one pass for all kinds. The anchor is the secret with its checksum: 49 base62
 * characters after `_`. The pass looks at the last byte of each place where these could be and skips to the next place
 * as soon as one byte does not fit, so in text it reads about one byte of six. The judge is the checksum:
 * neither what stands before a key nor what stands after it matters.
 */
import { KEY_ID_LENGTH, KEY_SECRET_LENGTH, KEY_TEXT_MAX, keyPrefixes, parseKeyText } from "./key-text.ts";
import type { KeyText } from "./key-text.ts";

const TAIL = KEY_SECRET_LENGTH + 6;
const ENVIRONMENT_MAX = 16;
/** What every credential ends with. */
const TAIL_FORM = /_[0-9A-Za-z]{49}/;
const UNDERSCORE = 0x5f;
const IS_BASE62 = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[0-9A-Za-z]/.test(String.fromCharCode(byte)) ? 1 : 0,
);

export interface FoundKey {
  readonly key: KeyText;
  /** Of its first byte, and of the byte after its last. */
  readonly start: number;
  readonly end: number;
}

/** Every credential in the bytes, in their order. */
export function findKeys(bytes: Uint8Array, onKey: (found: FoundKey) => void): void {
  // No tail begins at `passed` or before it.
  let passed = KEY_ID_LENGTH + 4;
  for (;;) {
    const last = passed + TAIL;
    if (last >= bytes.length) return;
    let at = last;
    while (at > passed && IS_BASE62[bytes[at]!] === 1) at--;
    if (at > passed) {
      passed = at;
      continue;
    }
    if (bytes[passed] === UNDERSCORE) judge(bytes, passed + 1, onKey);
    // The next tail stands after an underscore, and all bytes up to `last` are letters or digits.
    passed = last + 1;
  }
}

/** How much of the end of a credential is its secret, with the checksum. */
export const KEY_TAIL_LENGTH = TAIL;

/**
 * The same text without the secrets of the credentials in it: `sp_dev_4fT9wLq2ZbXc_[removed]`. For what is stored or
 * logged. A text without a credential is returned as it is.
 */
export function withoutKeys(text: string): string {
  if (!TAIL_FORM.test(text)) return text;
  let shown = "";
  let from = 0;
  findKeys(bytesOf(text), ({ end }) => {
    shown += `${text.slice(from, end - TAIL)}[removed]`;
    from = end;
  });
  return from === 0 ? text : shown + text.slice(from);
}

/** Every credential in a text. */
export function keysInText(text: string): KeyText[] {
  const found: KeyText[] = [];
  findKeys(bytesOf(text), ({ key }) => found.push(key));
  return found;
}

/** One byte for each character; a character that is no byte becomes one that is in no key. */
function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = Math.min(text.charCodeAt(at), 255);
  return bytes;
}

/** `tail` is where 49 base62 characters after an underscore begin. */
function judge(bytes: Uint8Array, tail: number, onKey: (found: FoundKey) => void): void {
  const id = tail - 1 - KEY_ID_LENGTH;
  if (bytes[id - 1] !== UNDERSCORE) return;
  const least = Math.max(0, id - 2 - ENVIRONMENT_MAX);
  let mark = id - 2;
  while (mark >= least && IS_BASE62[bytes[mark]!] === 1) mark--;
  if (mark < least || bytes[mark] !== UNDERSCORE) return;
  for (const prefix of Object.keys(keyPrefixes)) {
    const start = mark - prefix.length;
    if (start < 0) continue;
    const end = tail + TAIL;
    const key = parseKeyText(String.fromCharCode(...bytes.subarray(start, end)));
    if (key) return onKey({ key, start, end });
  }
}

/** The same over chunks: a key across their borders is found, too. Offsets count from the first chunk on. */
export class KeyFinder {
  readonly #onKey: (found: FoundKey) => void;
  /** The end of what came before, shorter than a key. */
  #kept: Uint8Array = new Uint8Array(0);
  #length = 0;

  constructor(onKey: (found: FoundKey) => void) {
    this.#onKey = onKey;
  }

  push(chunk: Uint8Array): void {
    const kept = this.#kept;
    const seamAt = this.#length - kept.length;
    const seam = joined(kept, chunk.subarray(0, KEY_TEXT_MAX));
    findKeys(seam, ({ key, start, end }) => {
      if (start < kept.length && end > kept.length) this.#onKey({ key, start: seamAt + start, end: seamAt + end });
    });
    const chunkAt = this.#length;
    findKeys(chunk, ({ key, start, end }) => this.#onKey({ key, start: chunkAt + start, end: chunkAt + end }));
    this.#length += chunk.length;
    const end = chunk.length < KEY_TEXT_MAX ? seam : chunk;
    this.#kept = end.slice(Math.max(0, end.length - KEY_TEXT_MAX + 1));
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
