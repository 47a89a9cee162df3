/**
 * Fields that tell of a person: the record holds a salted hash in their place, the value stands beside the record and
 * can be erased without the record, its hash or any proof changing. A kept record is `line`, or `line TAB beside`, where
 * `beside` is `{"address":["<salt>","127.0.0.1"]}`. No tab stands inside either: JSON escapes it.
 */
import { canonical, isCanonical } from "./encode-event.ts";
import type { EventValue } from "./encode-event.ts";
import { parseRecordLine } from "./record-line.ts";
import type { LedgerRecord } from "./record-line.ts";
import { parseShallowJson } from "./shallow-json.ts";
import type { Sha256Text } from "./tree-hash.ts";

/** Their values are texts. A name is one of these wherever it stands. `MEMBER` below lists them again. */
export const personalFields = ["address", "client", "email", "user_name"] as const;

const SALTED = "sha256:";
const HASHED = /^sha256:[0-9a-f]{64}$/;
/** Inside a text a quote is escaped, so this is found where a member begins and nowhere else. */
const MEMBER = /"(address|client|email|user_name)":("(?:[^"\\]|\\.)*")/g;

export interface KeptRecord {
  /** What is hashed and proved. */
  readonly line: string;
  /** The values next to it as JSON text; empty without any, or after their erasure. */
  readonly beside: string;
}

/** `salt` gives a new one for each field: 16 random bytes or more, as text without quotes. */
export function saltPersonal(sha256: Sha256Text, salt: () => string, eventText: string): KeptRecord {
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
export type PersonalValues = ReadonlyMap<
  string,
  { readonly salt: string; readonly value: string; /** The value as JSON text. */ readonly text: string }
>;

const NONE: PersonalValues = new Map();
/** One field, its value free of escapes: what stands beside nearly every record. */
const PLAIN = /^\{"([a-z_]+)":\["([0-9A-Za-z]+)","([ !#-[\]-~]*)"\]\}$/;

/** Reads it strictly; undefined where it is not what `saltPersonal()` writes. */
export function parseBeside(beside: string): PersonalValues | undefined {
  if (beside === "") return NONE;
  const [, name, salt = "", value = ""] = PLAIN.exec(beside) ?? [];
  if (name !== undefined) return new Map([[name, { salt, value, text: `"${value}"` }]]);
  const values = new Map<string, { salt: string; value: string; text: string }>();
  const read = parseShallowJson(beside);
  if (typeof read !== "object" || read === null || !isCanonical(read, beside)) return undefined;
  for (const [member, pair] of Object.entries(read)) {
    const [own, said] = Array.isArray(pair) && pair.length === 2 ? (pair as unknown[]) : [];
    if (typeof own !== "string" || typeof said !== "string") return undefined;
    values.set(member, { salt: own, value: said, text: canonical(said) });
  }
  return values;
}

/** Whether each value beside a record is the one whose hash the record holds. */
export function isBesideGenuine(sha256: Sha256Text, { fields }: LedgerRecord, values: PersonalValues): boolean {
  for (const [name, { salt, text }] of values) if (fields[name] !== saltedHash(sha256, salt, text)) return false;
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

export function saltedHash(sha256: Sha256Text, salt: string, valueText: string): string {
  return `${SALTED}${sha256(`${salt}\n${valueText}`)}`;
}
