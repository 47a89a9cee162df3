/** Keys in the bytes of a request, found and covered. Long bodies are read in slices, so that other requests go first. */
import { findKeys, KEY_TAIL_LENGTH, KEY_TEXT_MAX } from "@sallyport/protocol";
import { LongWork } from "../kernel/long-work.ts";

export interface RequestKeys {
  /** Their texts, each once, at most 64 of them: enough to act on. */
  readonly texts: readonly string[];
  /** At least one is written with JSON's escapes, so its bytes are not where they seem. */
  readonly isEscaped: boolean;
}

/** Read at once: less than half a millisecond, whatever it contains. */
const AT_ONCE_BYTES = 256 * 1024;
const KEPT_MAX = 64;
/** An escape of any character of a key, in JSON or in JSON inside JSON. */
const ESCAPE = /\\{1,8}u00([3-7][0-9A-Fa-f])/g;
const ESCAPE_MARK = "\\u00";
/** A key in which each character is an escape of two backslashes or a few more. */
const ESCAPED_KEY_MAX = KEY_TEXT_MAX * 10;
const ASTERISK = 0x2a;

/** `unsent`: text of the request that is not among the bytes. */
export function keysInRequest(bytes: Uint8Array, unsent = ""): RequestKeys | Promise<RequestKeys> {
  const search = new Search();
  if (unsent !== "") search.look(Buffer.from(unsent, "latin1"));
  if (bytes.length <= AT_ONCE_BYTES) {
    search.look(bytes);
    return search;
  }
  return inSlices(bytes, search);
}

async function inSlices(bytes: Uint8Array, search: Search): Promise<RequestKeys> {
  const work = new LongWork();
  // Slices overlap by a key, so that one on their border is seen whole.
  for (let start = 0; start < bytes.length; start += AT_ONCE_BYTES) {
    search.look(bytes.subarray(start, start + AT_ONCE_BYTES + ESCAPED_KEY_MAX));
    const resting = work.rest();
    if (resting) await resting;
  }
  return search;
}

class Search implements RequestKeys {
  readonly #texts = new Set<string>();
  isEscaped = false;

  get texts(): readonly string[] {
    return [...this.#texts];
  }

  look(part: Uint8Array): void {
    const bytes = Buffer.from(part.buffer, part.byteOffset, part.length);
    this.#find(bytes);
    if (!bytes.includes(ESCAPE_MARK)) return;
    const before = this.#texts.size;
    this.#find(unescapedBytes(bytes));
    if (this.#texts.size > before) this.isEscaped = true;
  }

  #find(bytes: Buffer): void {
    findKeys(bytes, ({ start, end }) => {
      if (this.#texts.size < KEPT_MAX) this.#texts.add(bytes.toString("latin1", start, end));
    });
  }
}

/**
 * The same bytes with the secret of each key covered by asterisks, as valid as they were. Of `isEscaped`, letters, digits
 * and underscores that were escaped are written as they are.
 */
export function coverKeys(bytes: Uint8Array, isEscaped: boolean): Buffer {
  const plain = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const covered = isEscaped ? unescapedBytes(plain) : Buffer.from(plain);
  findKeys(covered, ({ end }) => covered.fill(ASTERISK, end - KEY_TAIL_LENGTH, end));
  return covered;
}

function unescapedBytes(bytes: Buffer): Buffer {
  const text = bytes.toString("latin1").replace(ESCAPE, (escape, code: string) => {
    const character = String.fromCharCode(Number.parseInt(code, 16));
    return /[0-9A-Za-z_]/.test(character) ? character : escape;
  });
  return Buffer.from(text, "latin1");
}
