/**
 * Operations as text, and back: JSON, in which bytes and numbers that JSON does not know are marked. A text that does not
 * come back as it was is never written.
 */
import { Problem } from "@sallyport/protocol";
import type { Operation } from "../../changes/change.ts";

const BYTES = "$bytes";
const NUMBER = "$number";

/** Throws `TypeError` for a value that no text can stand for: a mistake of the program. */
export function formatOperations(operations: readonly Operation[]): string {
  return JSON.stringify(operations.map(marked));
}

/** Throws `log_damaged` for what `formatOperations()` did not write. */
export function parseOperations(text: string): readonly Operation[] {
  let value: unknown;
  try {
    value = unmarked(JSON.parse(text));
  } catch {
    throw new Problem("log_damaged", "the operations of an entry cannot be read");
  }
  // The entry is signed by a program of the same vocabulary, and names of operations are demanded where they are applied.
  const isList = Array.isArray(value) && value.every((one) => typeof (one as Operation | null)?.op === "string");
  if (!isList) throw new Problem("log_damaged", "the operations of an entry are no list of operations");
  return value as readonly Operation[];
}

/** Throws `log_damaged` for what is no list of texts. */
export function parseEventTexts(text: string): readonly [string, ...string[]] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (!Array.isArray(value) || value.length === 0 || !value.every((one) => typeof one === "string"))
    throw new Problem("log_damaged", "the events of an entry are no list of texts");
  return value as unknown as readonly [string, ...string[]];
}

function marked(value: unknown): unknown {
  if (value === null || typeof value === "string" || typeof value === "boolean" || value === undefined) return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : { [NUMBER]: String(value) };
  if (value instanceof Uint8Array) return { [BYTES]: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return value.map(marked);
  const prototype: unknown = typeof value === "object" ? Object.getPrototypeOf(value) : undefined;
  if (prototype !== Object.prototype && prototype !== null)
    throw new TypeError("an operation holds a value that is neither text, number, list nor record");
  // A name of a record may begin as a mark does: it gets one more `$`.
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name.startsWith("$") ? `$${name}` : name, marked(member)]),
  );
}

function unmarked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unmarked);
  if (typeof value !== "object" || value === null) return value;
  const { [BYTES]: bytes, [NUMBER]: number } = value as Record<string, unknown>;
  if (typeof bytes === "string") return new Uint8Array(Buffer.from(bytes, "base64"));
  if (typeof number === "string") return Number(number);
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name.startsWith("$") ? name.slice(1) : name, unmarked(member)]),
  );
}
