/**
 * A record as a line of a JSONL export: readable as it is, with the salts that lead back from its personal values to the
 * line that is hashed. So a reader needs nothing but the file, and a verifier neither.
 */
import { canonical, encodeEvent, isCanonical } from "./encode-event.ts";
import type { EventValue } from "./encode-event.ts";
import { parseEnded } from "./ended-record.ts";
import { parseBeside, parseKept, saltedHash } from "./personal.ts";
import { parseRecordLine, recordLine } from "./record-line.ts";
import type { LedgerRecord } from "./record-line.ts";
import { parseShallowJson } from "./shallow-json.ts";
import type { Sha256Text } from "./tree-hash.ts";

/** Undefined for an invalid kept line. */
export function exportRow(kept: string): string | undefined {
  const { line, beside } = parseKept(kept);
  const record = parseRecordLine(line);
  const values = record && parseBeside(beside);
  // Of a record whose time is over the row is what is left of it.
  if (!record) return parseEnded(line) ? line : undefined;
  if (!values) return undefined;
  // What was erased stays its hash: the row leads back to the line all the same.
  const fields = { ...record.fields, ...Object.fromEntries([...values].map(([name, { value }]) => [name, value])) };
  const salts = Object.fromEntries([...values].map(([name, { salt }]) => [name, salt]));
  return canonical({ ...record, fields, ...(values.size > 0 ? { salts } : {}) });
}

/** The record's own line again; undefined where the row is not one of `exportRow()`. */
export function lineOfExportRow(sha256: Sha256Text, row: string): string | undefined {
  const read = parseShallowJson(row);
  if (typeof read !== "object" || read === null || !isCanonical(read, row)) return undefined;
  const { salts = {}, ...record } = read as LedgerRecord & { readonly salts?: Readonly<Record<string, string>> };
  const { seq, prev, fields } = record;
  if (typeof fields !== "object" || fields === null || typeof salts !== "object" || salts === null) return undefined;
  const hashed: Record<string, EventValue> = { ...fields };
  for (const [name, salt] of Object.entries(salts)) {
    const value = fields[name];
    if (typeof value !== "string" || typeof salt !== "string") return undefined;
    hashed[name] = saltedHash(sha256, salt, canonical(value));
  }
  const line = recordLine(seq, prev, encodeEvent({ ...record, fields: hashed }));
  return parseRecordLine(line) ? line : undefined;
}
