/**
 * A ledger record is one JSON line: `{"seq":N,"prev":"<64 hex>",` and then the event's text without its first brace.
 * Its hash is SHA-256 over the line's UTF-8 bytes without the newline, in hex; the next record names it as `prev`.
 */
import { encodeEvent, isFieldName } from "./encode-event.ts";
import type { EncodableEvent, EventValue } from "./encode-event.ts";

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
const MEMBERS = ["seq", "prev", "type", "at", "environment", "actor", "fields"].join();

/** Reads one line strictly: undefined unless it is byte for byte what `recordLine()` writes for what it says. */
export function parseRecordLine(line: string): LedgerRecord | undefined {
  let read: unknown;
  try {
    read = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isObject(read) || Object.keys(read).join() !== MEMBERS) return undefined;
  const { seq, prev, type, at, environment, actor, fields } = read;
  if (typeof seq !== "number" || !Number.isSafeInteger(seq) || seq < 1) return undefined;
  if (typeof prev !== "string" || !HEX_64.test(prev)) return undefined;
  if (typeof type !== "string" || typeof environment !== "string" || typeof actor !== "string") return undefined;
  if (typeof at !== "number" || !Number.isSafeInteger(at)) return undefined;
  if (!isObject(fields) || !Object.keys(fields).every((name) => isFieldName(name) && isValue(fields[name])))
    return undefined;
  const record = { seq, prev, type, at, environment, actor, fields: fields as Record<string, EventValue> };
  // Duplicate members, other spellings of a number or an escape, white space: anything JSON lets pass shows here.
  return recordLine(seq, prev, encodeEvent(record)) === line ? record : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isValue(value: unknown): value is EventValue {
  if (Array.isArray(value)) return value.every((part) => typeof part === "string");
  return value === null || typeof value === "string" || typeof value === "boolean" || typeof value === "number";
}
