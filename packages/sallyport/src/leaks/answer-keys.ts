/**
 * Keys in a response, also where a model writes one token by token over many frames of a stream. What could become a key
 * waits until that is decided: a secret that is to be covered, or to end the stream, is not shown first. Waiting begins
 * with the first character of a secret, after `sp_<environment>_<id>_`, so ordinary text is never delayed.
 */
import { findKeys, KEY_ID_LENGTH, KEY_PATTERN, KEY_TAIL_LENGTH, parseKeyText } from "@sallyport/protocol";

/** What is done about a key that was found. `stop`: nothing more is shown. */
export type AnswerKeyAction = "show" | "cover" | "stop";

/** The response must not go on: it contains a key. */
export class KeyInAnswer extends Error {
  constructor() {
    super("the response contains a key");
    this.name = "KeyInAnswer";
  }
}

/** Texts of an answer, in every dialect, with the fields that tools are called by. */
const TEXT =
  /"(content|response|thinking|text|delta|arguments|partial_json|reasoning|reasoning_content|refusal)"\s*:\s*"((?:[^"\\]|\\[^])*)"/g;
/**
 * Where a text may end with the beginning of a key, or escapes a character of one. Most frames have no such place, and cost
 * this one look (measured: the look at every text cost five times as much).
 */
const CANDIDATE =
  /(?:s|sp[atep]?|sp[atep]?_(?:[a-z][a-z0-9]{0,15}(?:_[0-9A-Za-z]{0,12}(?:_[0-9A-Za-z]{0,48})?)?)?)"(?!:)|\\u00(?:3[0-9]|4[1-9A-Fa-f]|5[0-9AFaf]|6[1-9A-Fa-f]|7[0-9Aa])/g;
const INDEX = /"index"\s*:\s*([1-9][0-9]{0,3})/;
/** The beginning of a key at the end of a text, and whether its secret has begun. */
const BEGINNING =
  /s(?:p(?:[atep]?(?:_(?:[a-z](?:[a-z0-9]{0,15}(?:_(?:[0-9A-Za-z]{0,12}|[0-9A-Za-z]{12}(_[0-9A-Za-z]{0,48})))?)?)?)?)?)?$/;
const KEY_CHARACTERS_END = /[A-Za-z0-9_]$/;
const ASTERISK = 0x2a;
/** `sp_a_`, an id, `_` and a secret with its checksum. */
const KEY_TEXT_MIN = 5 + KEY_ID_LENGTH + 1 + KEY_TAIL_LENGTH;
/** A beginning that is not finished within this is let go: nothing hostile is buffered without a bound. */
const HELD_BYTES_MAX = 64 * 1024;
const CHANNELS_MAX = 16;

/** A text inside bytes that wait. */
interface HeldText {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** Without escapes each byte is a character. */
  readonly isPlain: boolean;
}

interface Channel {
  /** Its field, and which of several answers. */
  readonly name: string;
  /** The beginning of a key with which it ends; "" for none. */
  tail: string;
  /** Where the secret of that beginning stands, oldest first; empty while none has begun. */
  held: HeldText[];
}

export class AnswerKeys {
  readonly #onKey: (text: string) => AnswerKeyAction;
  readonly #isFramed: boolean;
  readonly #channels = new Map<string, Channel>();
  /** Channels in which a secret has begun. */
  #beginnings = 0;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Of an answer in one piece: bytes at its end that may be the beginning of a key. */
  #rest: Buffer | null = null;

  /** `isFramed`: chunks are whole lines or events of a stream; otherwise they are parts of one text. */
  constructor(isFramed: boolean, onKey: (text: string) => AnswerKeyAction) {
    this.#isFramed = isFramed;
    this.#onKey = onKey;
  }

  /** What may be shown now; null for nothing. Throws `KeyInAnswer`. */
  push(chunk: Buffer): Buffer | null {
    return this.#isFramed ? this.#frames(chunk) : this.#part(chunk, false);
  }

  /** What is left, with the last bytes of the answer. Throws `KeyInAnswer`. */
  end(last: Buffer | null): Buffer | null {
    if (!this.#isFramed) return this.#part(last ?? Buffer.alloc(0), true);
    const shown = last === null ? null : this.#frames(last);
    return joined(shown, this.#release());
  }

  #frames(chunk: Buffer): Buffer | null {
    const bytes = this.#covered(chunk);
    const text = bytes.toString("latin1");
    if (!this.#skip(text, 0)) return bytes;
    for (let match = TEXT.exec(text); match !== null; match = TEXT.exec(text)) {
      const value = match[2]!;
      const after = TEXT.lastIndex;
      const channel = this.#channelOf(match[1]!, text, value, match.index);
      if (channel !== undefined) this.#read(channel, value, bytes, after - 1);
      if (!this.#skip(text, after)) break;
    }
    if (this.#beginnings === 0) return joined(this.#release(), bytes);
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes <= HELD_BYTES_MAX) return null;
    this.#channels.clear();
    this.#beginnings = 0;
    return this.#release();
  }

  /** Moves on to the next frame that has to be read; false without one. A key that has begun may go on in any of them. */
  #skip(text: string, from: number): boolean {
    TEXT.lastIndex = from;
    if (this.#channels.size > 0) return true;
    CANDIDATE.lastIndex = from;
    const candidate = CANDIDATE.exec(text);
    if (candidate === null) return false;
    TEXT.lastIndex = Math.max(from, text.lastIndexOf("\n", candidate.index) + 1);
    return true;
  }

  /** Undefined for a text that neither goes on with the beginning of a key nor can end with one. */
  #channelOf(field: string, text: string, value: string, at: number): Channel | undefined {
    if (this.#channels.size === 0 && !BEGINNING.test(value) && !value.includes("\\u00")) return undefined;
    if (value === "") return undefined;
    const name = `${field} ${indexAt(text, at)}`;
    const held = this.#channels.get(name);
    if (held) return held;
    if (this.#channels.size >= CHANNELS_MAX) return undefined;
    const channel: Channel = { name, tail: "", held: [] };
    this.#channels.set(name, channel);
    return channel;
  }

  /** A text that ends before `end`. */
  #read(channel: Channel, written: string, bytes: Buffer, end: number): void {
    const isPlain = !written.includes("\\");
    const value = isPlain ? written : unescaped(written);
    const before = channel.tail.length;
    const text = before === 0 ? value : channel.tail + value;
    const here = { bytes, start: end - written.length, end, isPlain };
    const { held } = channel;
    if (held.length > 0) held.push(here);
    if (text.length >= KEY_TEXT_MIN)
      for (const match of text.matchAll(KEY_PATTERN)) {
        // A key within one text was covered, or seen, with the bytes of its chunk.
        if (!parseKeyText(match[0]) || (match.index >= before && isPlain)) continue;
        this.#found(match[0], held.length > 0 ? held : [here], text.length - (match.index + match[0].length));
      }
    const beginning = BEGINNING.exec(text);
    channel.tail = beginning?.[0] ?? "";
    const hasSecretBegun = beginning?.[1] !== undefined;
    if (hasSecretBegun && held.length === 0) {
      channel.held = [here];
      this.#beginnings++;
    } else if (!hasSecretBegun && held.length > 0) {
      channel.held = [];
      this.#beginnings--;
    }
    if (channel.tail === "") this.#channels.delete(channel.name);
  }

  /** `after`: characters of the newest text after the key. */
  #found(key: string, held: readonly HeldText[], after: number): void {
    const action = this.#onKey(key);
    if (action === "stop") throw new KeyInAnswer();
    if (action === "show") return;
    let left = KEY_TAIL_LENGTH;
    let skip = after;
    for (const { bytes, start, end, isPlain } of held.toReversed()) {
      if (left <= 0) return;
      if (!isPlain) {
        // Where its characters stand is not known: all of the text is covered.
        bytes.fill(ASTERISK, start, end);
        left -= unescaped(bytes.toString("latin1", start, end)).length;
        continue;
      }
      const to = end - skip;
      const from = Math.max(start, to - left);
      bytes.fill(ASTERISK, from, to);
      left -= to - from;
      skip = 0;
    }
  }

  /** Keys that stand in the bytes as they are, in whatever field. */
  #covered(chunk: Buffer): Buffer {
    let covered = chunk;
    findKeys(chunk, ({ start, end }) => {
      const action = this.#onKey(chunk.toString("latin1", start, end));
      if (action === "stop") throw new KeyInAnswer();
      if (action === "show") return;
      if (covered === chunk) covered = Buffer.from(chunk);
      covered.fill(ASTERISK, end - KEY_TAIL_LENGTH, end);
    });
    return covered;
  }

  /** A part of one text: its end waits only if a secret may have begun there. */
  #part(chunk: Buffer, isLast: boolean): Buffer | null {
    const bytes = this.#covered(this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]));
    this.#rest = null;
    if (bytes.length === 0) return null;
    if (isLast) return bytes;
    const end = bytes.toString("latin1", Math.max(0, bytes.length - 80));
    const beginning = KEY_CHARACTERS_END.test(end) ? BEGINNING.exec(end) : null;
    if (beginning === null || beginning[0] === "") return bytes;
    this.#rest = Buffer.from(bytes.subarray(bytes.length - beginning[0].length));
    return bytes.length === this.#rest.length ? null : bytes.subarray(0, bytes.length - this.#rest.length);
  }

  #release(): Buffer | null {
    const released = this.#waiting.length === 0 ? null : Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    return released;
  }
}

/** Which of several answers, or which call of a tool, the frame around that place belongs to. */
function indexAt(text: string, at: number): string {
  const begin = text.lastIndexOf("\n", at) + 1;
  const end = text.indexOf("\n", at);
  const frame = text.slice(begin, end < 0 ? text.length : end);
  return frame.includes('"index"') ? (INDEX.exec(frame)?.[1] ?? "0") : "0";
}

function joined(first: Buffer | null, second: Buffer | null): Buffer | null {
  if (first === null || second === null) return first ?? second;
  return Buffer.concat([first, second]);
}

/** Of a JSON string's inside; unchanged if it is not a valid one. */
function unescaped(value: string): string {
  try {
    return JSON.parse(`"${value}"`) as string;
  } catch {
    return value;
  }
}
