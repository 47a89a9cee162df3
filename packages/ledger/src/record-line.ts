/**
 * A ledger record is one JSON line: `{"seq":N,"prev":"<64 hex>",` and then the event's text without its first brace.
 * Its hash is SHA-256 over the line's UTF-8 bytes without the newline, in hex; the next record names it as `prev`.
 */
import { canonical, isFieldName } from "./encode-event.ts";
import type { EncodableEvent, EventValue } from "./encode-event.ts";
import { parseShallowJson } from "./shallow-json.ts";

/** `prev` of the record with seq 1. */
export const FIRST_PREV = "0".repeat(64);

export interface LedgerRecord extends EncodableEvent {
  /** From 1, without gaps. */
  readonly seq: number;
  /** Hash of the record before it. */
  readonly prev: string;
}

/** `eventText` is what `encodeEvent()` made. */
export function recordLine(seq: number, prev: string, eventText: string): string {
  return `{"seq":${seq},"prev":"${prev}",${eventText.slice(1)}`;
}

const HEX_64 = /^[0-9a-f]{64}$/;
const MEMBERS = ["seq", "prev", "type", "at", "environment", "actor", "fields"];

/**
 * A line in which every text is free of escapes and every number whole: there is one way to write each of its parts, so
 * that only its length has to be looked at to know that it is canonical. Nearly every line is one of these.
 */
// Written out in full, so that `tools/check-patterns.js` can prove that it never backtracks.
// prettier-ignore
const PLAIN =
  /^\{"seq":(?:0|-?[1-9]\d{0,14}),"prev":"[^"\\\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]*","type":"[^"\\\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]*","at":(?:0|-?[1-9]\d{0,14}),"environment":"[^"\\\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]*","actor":"[^"\\\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]*","fields":\{(?:"[a-z][a-z0-9_]*":(?:"[^"\\\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]*"|(?:0|-?[1-9]\d{0,14})|true|false|null|\[(?:"[^"\\\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]*"(?:,"[^"\\\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]*")*)?\])(?:,"[a-z][a-z0-9_]*":(?:"[^"\\\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]*"|(?:0|-?[1-9]\d{0,14})|true|false|null|\[(?:"[^"\\\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]*"(?:,"[^"\\\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]*")*)?\]))*)?\}\}$/;
/** Of a line whose texts are empty, whose numbers have no digits and which has no field. */
const FRAME_LENGTH = '{"seq":,"prev":"","type":"","at":,"environment":"","actor":"","fields":{}}'.length;

/** Reads one line strictly: undefined unless it is byte for byte what `recordLine()` writes for what it says. */
export function parseRecordLine(line: string): LedgerRecord | undefined {
  const read = parseShallowJson(line);
  if (!isObject(read) || !hasMembers(read)) return undefined;
  const { seq, prev, type, at, environment, actor, fields } = read;
  if (typeof seq !== "number" || !Number.isSafeInteger(seq) || seq < 1) return undefined;
  if (typeof prev !== "string" || !HEX_64.test(prev)) return undefined;
  if (typeof type !== "string" || typeof environment !== "string" || typeof actor !== "string") return undefined;
  if (typeof at !== "number" || !Number.isSafeInteger(at)) return undefined;
  if (!isObject(fields) || !areFields(fields)) return undefined;
  const record = { seq, prev, type, at, environment, actor, fields };
  // Duplicate members, other spellings of a number or an escape, white space: anything JSON lets pass shows here.
  // The members are those of a record, in its order, so this is what `recordLine()` writes.
  return (PLAIN.test(line) ? lengthOf(record) === line.length : canonical(read) === line) ? record : undefined;
}

/** How long the record's plain line is. A member that was written twice is in the line twice, and here once. */
function lengthOf({ seq, prev, type, at, environment, actor, fields }: LedgerRecord): number {
  let length =
    FRAME_LENGTH + digitsOf(seq) + prev.length + type.length + digitsOf(at) + environment.length + actor.length;
  let count = 0;
  for (const name in fields) {
    length += name.length + 3 + valueLength(fields[name]!);
    count++;
  }
  return count > 0 ? length + count - 1 : length;
}

function valueLength(value: EventValue): number {
  if (typeof value === "string") return value.length + 2;
  if (typeof value === "number") return digitsOf(value);
  if (value === null || value === true) return 4;
  if (value === false) return 5;
  return value.reduce((sum, text) => sum + text.length + 2, 2 + Math.max(0, value.length - 1));
}

function digitsOf(value: number): number {
  return value >= 0 && value < 10 ? 1 : String(value).length;
}

function hasMembers(read: Record<string, unknown>): boolean {
  const names = Object.keys(read);
  return names.length === MEMBERS.length && names.every((name, i) => name === MEMBERS[i]);
}

function areFields(fields: Record<string, unknown>): fields is Record<string, EventValue> {
  for (const name of Object.keys(fields)) if (!isFieldName(name) || !isValue(fields[name])) return false;
  return true;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isValue(value: unknown): value is EventValue {
  if (Array.isArray(value)) return value.every((part) => typeof part === "string");
  return value === null || typeof value === "string" || typeof value === "boolean" || typeof value === "number";
}
