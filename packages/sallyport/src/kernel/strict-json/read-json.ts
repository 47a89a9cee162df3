/** The strict reader for cold paths (administration): the same rules, plain values out. */
import type { ProblemCode } from "@sallyport/protocol";
import { JsonCursor, JsonRefused, once } from "./cursor.ts";
import { decodeString } from "./decode-string.ts";

export type JsonRead =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly code: ProblemCode; readonly detail: string };

/** Objects come without a prototype; numbers as doubles. */
export function readJson(bytes: Uint8Array): JsonRead {
  try {
    const cursor = new JsonCursor(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    const value = readValue(cursor);
    cursor.end();
    return { ok: true, value };
  } catch (cause) {
    if (cause instanceof JsonRefused) return { ok: false, code: cause.code, detail: cause.detail };
    throw cause;
  }
}

function readValue(cursor: JsonCursor): unknown {
  cursor.count();
  switch (cursor.kind()) {
    case "object":
      return readObject(cursor);
    case "array": {
      const list: unknown[] = [];
      if (cursor.open("["))
        do list.push(readValue(cursor));
        while (cursor.more("]"));
      return list;
    }
    case "string":
      return decodeString(cursor.stringLexeme());
    case "number":
      return Number(cursor.numberLexeme());
    case "boolean":
      return cursor.text[cursor.at] === "t" ? cursor.word("true") === "true" : cursor.word("false") === "true";
    case "null":
      cursor.word("null");
      return null;
  }
}

function readObject(cursor: JsonCursor): unknown {
  const found = Object.create(null) as Record<string, unknown>;
  if (!cursor.open("{")) return found;
  const seen = new Set<string>();
  do {
    const key = cursor.key();
    once(seen, key);
    found[key] = readValue(cursor);
  } while (cursor.more("}"));
  return found;
}
