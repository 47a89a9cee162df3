/**
 * What every parser of another product's file returns: the keys to create, what no key can carry, and mistakes. None of
 * it repeats a credential of the file: a parser names the line, never the text of a token.
 */
import { contract } from "@sallyport/contract";
import { parseSelector } from "@sallyport/protocol";

export const IMPORT_BYTES_MAX = 1024 * 1024;
export const IMPORT_KEYS_MAX = 1_000;
/** The contract's bound on the selectors of one key. */
export const KEY_MODELS_MAX = 64;
const REMARKS_MAX = 1_000;
const MISTAKES_MAX = 20;

export interface SourceKey {
  readonly line: number;
  readonly name: string;
  /** Model selectors; null when the file names no models. */
  readonly models: readonly string[] | null;
  /** Epoch ms; null when the file sets no expiry. */
  readonly expiresAtMs: number | null;
  /** Null = from anywhere. */
  readonly networks: readonly string[] | null;
}

export interface NotCarried {
  /** Null when it concerns the whole file. */
  readonly line: number | null;
  readonly what: string;
  readonly reason: string;
}

export interface SourceRead {
  readonly keys: readonly SourceKey[];
  readonly notCarried: readonly NotCarried[];
  /** `line N: …`; with one, nothing of the file is used. */
  readonly mistakes: readonly string[];
}

/** Reads a file's text. Expiry is judged at `now` (epoch ms). */
export type ReadSource = (text: string, now: number) => SourceRead;

const nameForm = contract["keys.create"].body.shape.name;

/** Collects what a parser finds, within bounds that hold for every source. */
export class SourceFindings {
  readonly #keys: SourceKey[] = [];
  readonly #lineOfName = new Map<string, number>();
  readonly #notCarried: NotCarried[] = [];
  readonly #mistakes: string[] = [];
  #remarks = 0;

  /** Adds a key, or reports why its name or its models cannot be used. */
  addKey(line: number, name: string, part: Partial<Omit<SourceKey, "line" | "name">> = {}): void {
    const key = { line, name, models: null, expiresAtMs: null, networks: null, ...part };
    const mistake = nameForm.safeParse(name).error?.issues[0]?.message;
    if (mistake !== undefined) return this.leaveOut(line, "name", `the name ${mistake}`);
    const earlier = this.#lineOfName.get(name);
    if (earlier !== undefined) return this.leaveOut(line, name, `line ${earlier} already has a key of this name`);
    const models = key.models?.filter((model) => this.#isSelector(line, name, model)) ?? null;
    if (models?.length === 0) return this.leaveOut(line, name, "none of its models can be used, so no key is created");
    if (models !== null && models.length > KEY_MODELS_MAX)
      return this.leaveOut(line, name, `it names ${models.length} models; a key can name ${KEY_MODELS_MAX}`);
    this.#lineOfName.set(name, line);
    if (this.#keys.length === IMPORT_KEYS_MAX) this.reject(line, `the file has more than ${IMPORT_KEYS_MAX} keys`);
    if (this.#keys.length < IMPORT_KEYS_MAX) this.#keys.push({ ...key, models });
  }

  hasName(name: string): boolean {
    return this.#lineOfName.has(name);
  }

  /** Something in the file that no key can carry. */
  leaveOut(line: number | null, what: string, reason: string): void {
    if (++this.#remarks <= REMARKS_MAX) this.#notCarried.push({ line, what, reason });
  }

  /** A part of the file that the parser does not understand. */
  reject(line: number, message: string): void {
    if (this.#mistakes.length < MISTAKES_MAX) this.#mistakes.push(`line ${line}: ${message}`);
  }

  get isRejected(): boolean {
    return this.#mistakes.length > 0;
  }

  result(): SourceRead {
    const more = this.#remarks - this.#notCarried.length;
    const rest = { line: null, what: `${more} more`, reason: `only the first ${REMARKS_MAX} are listed` };
    return {
      keys: this.#keys,
      notCarried: more > 0 ? [...this.#notCarried, rest] : this.#notCarried,
      mistakes: this.#mistakes,
    };
  }

  #isSelector(line: number, name: string, model: string): boolean {
    if (parseSelector(model) !== undefined) return true;
    this.leaveOut(line, `${name}: model ${shorten(model)}`, "this is not the name of a local Ollama model");
    return false;
  }
}

/** Names from the file are shown in full up to a length that fits a line. */
export function shorten(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}
