/**
 * JSON read the way Go's encoding/json reads it into a struct, with every leniency a gateway can be bypassed by: field
 * names match after Unicode simple folding, each occurrence is applied in document order, `null` leaves scalars alone
 * and clears maps and slices, an object into a map merges, bytes after the first value are ignored, bad UTF-8 becomes
 * U+FFFD. This is the oracle of the bypass tests: it is as gullible as the real server.
 */
export type Pairs = { readonly pairs: readonly (readonly [string, GoValue])[] };
export type GoValue = null | boolean | number | string | readonly GoValue[] | Pairs;

export class GoSyntaxError extends Error {}

/** The first JSON value of the bytes. */
export function readGoJson(body: Buffer): GoValue {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(body);
  return new Reader(text).value(0);
}

export function isPairs(value: GoValue | undefined): value is Pairs {
  return typeof value === "object" && value !== null && "pairs" in value;
}

class Reader {
  #at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): GoValue {
    if (depth > 10_000) throw new GoSyntaxError("exceeded max depth");
    this.#space();
    const char = this.#text[this.#at];
    if (char === "{") return this.#object(depth);
    if (char === "[") return this.#array(depth);
    if (char === '"') return this.#string();
    for (const [word, value] of [
      ["true", true],
      ["false", false],
      ["null", null],
    ] as const) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
    number.lastIndex = this.#at;
    const found = number.exec(this.#text);
    if (!found) throw new GoSyntaxError(char === undefined ? "unexpected EOF" : `invalid character ${char}`);
    this.#at += found[0].length;
    return Number(found[0]);
  }

  #object(depth: number): Pairs {
    const pairs: (readonly [string, GoValue])[] = [];
    this.#at++;
    this.#space();
    if (this.#take("}")) return { pairs };
    for (;;) {
      this.#space();
      const name = this.#string();
      this.#space();
      if (!this.#take(":")) throw new GoSyntaxError("expected ':'");
      pairs.push([name, this.value(depth + 1)]);
      this.#space();
      if (this.#take("}")) return { pairs };
      if (!this.#take(",")) throw new GoSyntaxError("expected ','");
    }
  }

  #array(depth: number): GoValue[] {
    const list: GoValue[] = [];
    this.#at++;
    this.#space();
    if (this.#take("]")) return list;
    for (;;) {
      list.push(this.value(depth + 1));
      this.#space();
      if (this.#take("]")) return list;
      if (!this.#take(",")) throw new GoSyntaxError("expected ','");
    }
  }

  #string(): string {
    const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
    string.lastIndex = this.#at;
    const found = string.exec(this.#text);
    if (!found) throw new GoSyntaxError("invalid string");
    this.#at += found[0].length;
    return (JSON.parse(found[0]) as string).toWellFormed();
  }

  #space(): void {
    while (" \t\r\n".includes(this.#text[this.#at] ?? "x")) this.#at++;
  }

  #take(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }
}

/** Go's foldName for the letters that occur in Ollama's field names. */
export function foldName(name: string): string {
  return name.replaceAll("\u212a", "k").replaceAll("\u017f", "s").toLowerCase();
}

/** What a struct field holds after decoding: the last occurrence that set it; null is a no-op for strings, numbers, booleans. */
export function scalar<T extends "string" | "boolean" | "number">(
  value: GoValue,
  field: string,
  type: T,
): (T extends "string" ? string : T extends "boolean" ? boolean : number) | undefined {
  let held: unknown;
  for (const found of occurrences(value, field)) {
    if (found === null) continue;
    if (typeof found !== type) throw new GoSyntaxError(`cannot unmarshal into field ${field}`);
    held = found;
  }
  return held as never;
}

/** A pointer or interface field (`stream`, `keep_alive`, `input`): the last occurrence, null clears it. */
export function pointer(value: GoValue, field: string): GoValue | undefined {
  let held: GoValue | undefined;
  for (const found of occurrences(value, field)) held = found === null ? undefined : found;
  return held;
}

/** A map field: occurrences merge key by key; null clears. Keys are case-sensitive. */
export function mapField(value: GoValue, field: string): Map<string, GoValue> {
  let held = new Map<string, GoValue>();
  for (const found of occurrences(value, field)) {
    if (found === null) held = new Map();
    else if (isPairs(found)) for (const [name, entry] of found.pairs) held.set(name, entry);
    else throw new GoSyntaxError(`cannot unmarshal into field ${field}`);
  }
  return held;
}

/** Every value that lands in the field, in document order. */
export function* occurrences(value: GoValue, field: string): Generator<GoValue> {
  if (!isPairs(value)) {
    if (value === null) return;
    throw new GoSyntaxError("cannot unmarshal into struct");
  }
  for (const [name, entry] of value.pairs) if (name === field || foldName(name) === foldName(field)) yield entry;
}

/** Plain JavaScript, last occurrence wins: for looking at what arrived. */
export function plain(value: GoValue): unknown {
  if (isPairs(value)) return Object.fromEntries(value.pairs.map(([name, entry]) => [name, plain(entry)]));
  return Array.isArray(value) ? value.map((entry) => plain(entry as GoValue)) : value;
}
