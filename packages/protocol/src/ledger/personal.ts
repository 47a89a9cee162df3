/**
 * Fields that tell of a person: the record holds a salted hash in their place, the value stands beside the record and
 * can be erased without the record, its hash or any proof changing. A kept record is `line`, or `line TAB beside`, where
 * `beside` is `{"address":["<salt>","127.0.0.1"]}`. No tab stands inside either: JSON escapes it.
 */
import { canonical } from "./encode-event.ts";
import type { EventValue } from "./encode-event.ts";
import { parseRecordLine } from "./record-line.ts";
import type { LedgerRecord } from "./record-line.ts";
import type { Sha256Hex } from "./signed-note.ts";
import { utf8Of } from "./utf8.ts";

/** Their values are texts. A name is one of these wherever it stands. */
export const personalFields = ["address", "client", "email", "user_name"] as const;

const SALTED = "sha256:";
const HASHED = /^sha256:[0-9a-f]{64}$/;
/** Inside a text a quote is escaped, so this is found where a member begins and nowhere else. */
const MEMBER = new RegExp(`"(${personalFields.join("|")})":("(?:[^"\\\\]|\\\\.)*")`, "g");

export interface KeptRecord {
  /** What is hashed and proved. */
  readonly line: string;
  /** The values beside it as JSON text; empty where there are none, or none any more. */
  readonly beside: string;
}

/** `salt` gives a new one for each field: 16 random bytes or more, as text without quotes. */
export function saltPersonal(sha256: Sha256Hex, salt: () => string, eventText: string): KeptRecord {
  let beside = "";
  const line = eventText.replace(MEMBER, (_, name: string, value: string) => {
    const own = salt();
    beside += `${beside === "" ? "{" : ","}"${name}":["${own}",${value}]`;
    return `"${name}":"${saltedHash(sha256, own, value)}"`;
  });
  return { line, beside: beside === "" ? "" : `${beside}}` };
}

export function formatKept({ line, beside }: KeptRecord): string {
  return beside === "" ? line : `${line}\t${beside}`;
}

export function parseKept(kept: string): KeptRecord {
  const tab = kept.indexOf("\t");
  return tab < 0 ? { line: kept, beside: "" } : { line: kept.slice(0, tab), beside: kept.slice(tab + 1) };
}

/** What a field's value was, by its name. */
export type PersonalValues = ReadonlyMap<string, { readonly salt: string; readonly value: string }>;

/** Reads it strictly; undefined where it is not what `saltPersonal()` writes. */
export function parseBeside(beside: string): PersonalValues | undefined {
  const values = new Map<string, { salt: string; value: string }>();
  if (beside === "") return values;
  let read: unknown;
  try {
    read = JSON.parse(beside);
  } catch {
    return undefined;
  }
  if (typeof read !== "object" || read === null || canonical(read) !== beside) return undefined;
  for (const [name, pair] of Object.entries(read)) {
    const [salt, value] = Array.isArray(pair) && pair.length === 2 ? (pair as unknown[]) : [];
    if (typeof salt !== "string" || typeof value !== "string") return undefined;
    values.set(name, { salt, value });
  }
  return values;
}

/** Whether each value beside a record is the one whose hash the record holds. */
export function isBesideGenuine(sha256: Sha256Hex, { fields }: LedgerRecord, values: PersonalValues): boolean {
  for (const [name, { salt, value }] of values)
    if (fields[name] !== saltedHash(sha256, salt, canonical(value))) return false;
  return true;
}

/** The record as it was said: values in the place of their hashes; what was erased is null. */
export function withPersonal(record: LedgerRecord, values: PersonalValues): LedgerRecord {
  const fields: Record<string, EventValue> = {};
  for (const [name, value] of Object.entries(record.fields))
    fields[name] = isSalted(value) ? (values.get(name)?.value ?? null) : value;
  return { ...record, fields };
}

/** The record of a kept line as it was said; undefined where either part is not what is written here. */
export function readKept(kept: string): LedgerRecord | undefined {
  const { line, beside } = parseKept(kept);
  const record = parseRecordLine(line);
  const values = record && parseBeside(beside);
  return record && values && withPersonal(record, values);
}

function isSalted(value: EventValue): boolean {
  return typeof value === "string" && value.startsWith(SALTED) && HASHED.test(value);
}

function saltedHash(sha256: Sha256Hex, salt: string, valueText: string): string {
  return `${SALTED}${sha256(utf8Of(`${salt}\n${valueText}`))}`;
}
