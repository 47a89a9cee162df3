/**
 * Shapes: what may be at a place of a document, as functions that read it and return its serialization. There are two
 * kinds of objects. At *struct* places (decoded into a Go struct), only listed fields survive, another spelling of a
 * listed field is rejected, null means absent. At *map* places, any key is legal and the value is passed as written.
 */
import { JsonRefused, once } from "./cursor.ts";
import type { JsonCursor } from "./cursor.ts";
import { foldKey } from "./fold.ts";

/** Reads one value and gives its serialisation. */
export type Shape<C extends JsonCursor = JsonCursor> = (cursor: C) => string;
export type Fields<C extends JsonCursor = JsonCursor> = Readonly<Record<string, Shape<C>>>;

/** A cursor that counts dropped fields. */
export interface CountsDropped {
  droppedFields: number;
}

/** The listed fields of a struct, made ready: built once at start. */
export class StructFields<C extends JsonCursor & CountsDropped> {
  readonly #shapes: ReadonlyMap<string, Shape<C>>;
  readonly #folded: ReadonlySet<string>;

  constructor(fields: Fields<C>) {
    this.#shapes = new Map(Object.entries(fields));
    this.#folded = new Set(Object.keys(fields).map(foldKey));
    if (this.#folded.size !== this.#shapes.size) throw new Error("two fields of one struct fold onto each other");
  }

  /** Reads an object at a struct place: the serialisation of each listed field that is there and not null. */
  read(cursor: C): Map<string, string> {
    const found = new Map<string, string>();
    if (cursor.kind() !== "object") throw wrongType(cursor, "an object");
    if (!cursor.open("{")) return found;
    const seen = new Set<string>();
    do {
      const key = cursor.key();
      once(seen, key);
      const shape = this.#shapes.get(key);
      if (shape === undefined) {
        if (this.#folded.has(foldKey(key))) throw new JsonRefused("json_key_folds", key.slice(0, 80));
        cursor.droppedFields++;
        cursor.value();
      } else if (cursor.kind() === "null") {
        cursor.word("null");
      } else {
        cursor.path.push(key);
        cursor.count();
        found.set(key, shape(cursor));
        cursor.path.pop();
      }
    } while (cursor.more("}"));
    return found;
  }
}

/** Writes fields back as an object, in the order they were read. */
export function writeFields(fields: Iterable<readonly [string, string]>): string {
  let out = "";
  for (const [name, value] of fields) out += out === "" ? `"${name}":${value}` : `,"${name}":${value}`;
  return `{${out}}`;
}

export function struct<C extends JsonCursor & CountsDropped>(fields: Fields<C>): Shape<C> {
  const known = new StructFields(fields);
  return (cursor) => writeFields(known.read(cursor));
}

export const text: Shape = (cursor) => {
  if (cursor.kind() !== "string") throw wrongType(cursor, "a string");
  return cursor.stringLexeme();
};

export const flag: Shape = (cursor) => {
  if (cursor.kind() !== "boolean") throw wrongType(cursor, "true or false");
  return cursor.text[cursor.at] === "t" ? cursor.word("true") : cursor.word("false");
};

export const number: Shape = (cursor) => {
  if (cursor.kind() !== "number") throw wrongType(cursor, "a number");
  return cursor.numberLexeme();
};

/** A map place, or any other value that is passed as written. */
export const anything: Shape = (cursor) => cursor.value();

/** A map place that must be an object. */
export const map: Shape = (cursor) => {
  if (cursor.kind() !== "object") throw wrongType(cursor, "an object");
  return cursor.value();
};

export function listOf<C extends JsonCursor>(item: Shape<C>): Shape<C> {
  return (cursor) => {
    if (cursor.kind() !== "array") throw wrongType(cursor, "an array");
    if (!cursor.open("[")) return "[]";
    let out = "";
    do {
      cursor.count();
      out += out === "" ? item(cursor) : `,${item(cursor)}`;
    } while (cursor.more("]"));
    return `[${out}]`;
  };
}

/** One of several, told apart by the kind of value. */
export function either<C extends JsonCursor>(
  byKind: Partial<Record<"object" | "array" | "string" | "number" | "boolean", Shape<C>>>,
): Shape<C> {
  return (cursor) => {
    const kind = cursor.kind();
    const shape = kind === "null" ? undefined : byKind[kind];
    if (!shape) throw wrongType(cursor, Object.keys(byKind).join(" or "));
    return shape(cursor);
  };
}

/** For shapes that contain themselves. */
export function later<C extends JsonCursor>(shape: () => Shape<C>): Shape<C> {
  return (cursor) => shape()(cursor);
}

export function wrongType(cursor: JsonCursor, wanted: string): JsonRefused {
  // What is no value at all is malformed, whatever was wanted here.
  cursor.value();
  return new JsonRefused("field_invalid", `${cursor.path.join(".") || "the body"} must be ${wanted}`);
}
