/**
 * A ledger record is one JSON line: `{"seq":N,"prev":"<64 hex>",` and then the event's text without its first brace.
 * Its hash is SHA-256 over the line's UTF-8 bytes without the newline, in hex; the next record names it as `prev`.
 */
import { canonical, isFieldName } from "./encode-event.ts";
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
const MEMBERS = ["seq", "prev", "type", "at", "environment", "actor", "fields"];

/** Reads one line strictly: undefined unless it is byte for byte what `recordLine()` writes for what it says. */
export function parseRecordLine(line: string): LedgerRecord | undefined {
  let read: unknown;
  try {
    read = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isObject(read) || !hasMembers(read)) return undefined;
  const { seq, prev, type, at, environment, actor, fields } = read;
  if (typeof seq !== "number" || !Number.isSafeInteger(seq) || seq < 1) return undefined;
  if (typeof prev !== "string" || !HEX_64.test(prev)) return undefined;
  if (typeof type !== "string" || typeof environment !== "string" || typeof actor !== "string") return undefined;
  if (typeof at !== "number" || !Number.isSafeInteger(at)) return undefined;
  if (!isObject(fields) || !areFields(fields)) return undefined;
  // Duplicate members, other spellings of a number or an escape, white space: anything JSON lets pass shows here.
  // The members are those of a record, in its order, so this is what `recordLine()` writes.
  if (canonical(read) !== line) return undefined;
  return { seq, prev, type, at, environment, actor, fields };
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
