/**
 * A change as text, and back: a line of JSON for each operation and for each event, so that large changes are written and
 * read in slices. In operations, bytes and numbers that JSON does not know are marked.
 */
import { encodeEvent } from "@sallyport/ledger";
import { Problem } from "@sallyport/protocol";
import type { EventType, LedgerEvent } from "../../audit/event.ts";
import type { Change, Operation } from "../../changes/change.ts";
import { LongWork } from "../../kernel/long-work.ts";

const BYTES = "$bytes";
const NUMBER = "$number";

export interface ChangeText {
  readonly operations: string;
  readonly events: string;
}

/** Throws `TypeError` for a value that no text can stand for: a mistake of the program. */
export async function formatChange({ operations, events }: Pick<Change, "operations" | "events">): Promise<ChangeText> {
  return {
    operations: await linesOf(operations, (operation) => JSON.stringify(marked(operation))),
    events: await linesOf(events, encodeEvent),
  };
}

/**
 * Throws `log_damaged` for what `formatChange()` did not write. The names of operations are demanded where they are
 * applied; what is in them was signed by a program that has the same vocabulary.
 */
export async function parseChange(text: ChangeText): Promise<Pick<Change, "operations" | "events">> {
  const operations: Operation[] = [];
  const events: LedgerEvent[] = [];
  await new LongWork().each(text.operations.split("\n"), (line) => operations.push(readOperation(line)));
  await new LongWork().each(text.events.split("\n"), (line) => events.push(readEvent(line)));
  return { operations, events: events as [LedgerEvent, ...LedgerEvent[]] };
}

async function linesOf<T>(values: readonly T[], format: (value: T) => string): Promise<string> {
  const lines: string[] = [];
  await new LongWork().each(values, (value) => lines.push(format(value)));
  return lines.join("\n");
}

function readOperation(line: string): Operation {
  const value = readRecord(line);
  if (typeof value["op"] !== "string") throw damaged();
  return unmarked(value) as Operation;
}

function readEvent(line: string): LedgerEvent {
  const { type, at, environment, actor, fields } = readRecord(line);
  const isEvent =
    [type, environment, actor].every((text) => typeof text === "string") &&
    Number.isSafeInteger(at) &&
    typeof fields === "object" &&
    fields !== null &&
    Object.values(fields).every(isFieldValue);
  if (!isEvent) throw damaged();
  return { type: type as EventType, at, environment, actor, fields } as LedgerEvent;
}

function isFieldValue(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((text) => typeof text === "string");
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

function readRecord(line: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw damaged();
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw damaged();
  return value as Record<string, unknown>;
}

function damaged(): Problem {
  return new Problem("log_damaged", "the change of an entry cannot be read");
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
