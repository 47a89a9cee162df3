/** Rows of the log's tables, read strictly: what has another shape was not written by this program. */
import { Problem } from "@sallyport/protocol";
import type { EpochEntry } from "../authority/epoch-entry.ts";
import type { LogState } from "../authority/epoch-log.ts";
import { LOG_FORMAT } from "./epoch-table.ts";
import type { PgRow } from "./postgres-session.ts";

const HASH = /^[0-9a-f]{64}$/;
const DEPLOYMENT = /^[0-9A-Za-z]{12}$/;
/** Ed25519, base64. */
const SIGNATURE = /^[A-Za-z0-9+/]{86}==$/;
/**
 * Where an administration is. It is not signed, and is shown to people: with any other text in it, a person
 * who can write to the database could send them elsewhere or write to their terminal.
 */
const HOLDER = /^https?:\/\/[\w.:[\]-]{1,255}$/;

export function readEntryRow(row: PgRow): EpochEntry {
  return {
    epoch: whole(row, "epoch"),
    previous: matching(row, "previous", HASH),
    head: matching(row, "head", HASH),
    fence: whole(row, "fence"),
    author: written(row, "author"),
    at: whole(row, "at"),
    version: whole(row, "version"),
    program: written(row, "program"),
    operations: written(row, "operations"),
    events: written(row, "events"),
    signature: matching(row, "signature", SIGNATURE),
  };
}

export function readStateRow(row: PgRow): LogState {
  const format = whole(row, "format");
  if (format !== LOG_FORMAT)
    throw new Problem("change_unknown", `the log has format ${format}, this program knows ${LOG_FORMAT}`);
  if (typeof row["closed"] !== "boolean") throw misshapen("closed");
  return {
    base: {
      deployment: matching(row, "deployment", DEPLOYMENT),
      epoch: whole(row, "base_epoch"),
      head: matching(row, "base_head", HASH),
      digest: matching(row, "base_digest", HASH),
      signature: matching(row, "base_signature", SIGNATURE),
    },
    epoch: whole(row, "epoch"),
    head: matching(row, "head", HASH),
    fence: whole(row, "fence"),
    holder: HOLDER.exec(written(row, "holder"))?.[0] ?? "",
    isClosed: row["closed"],
  };
}

/** The server gives a bigint as text. */
export function whole(row: PgRow, name: string): number {
  const value = row[name];
  const text = typeof value === "number" ? String(value) : value;
  const number = Number(text);
  if (typeof text !== "string" || !/^(0|[1-9]\d{0,15})$/.test(text) || !Number.isSafeInteger(number))
    throw misshapen(name);
  return number;
}

function written(row: PgRow, name: string): string {
  const value = row[name];
  if (typeof value !== "string") throw misshapen(name);
  return value;
}

function matching(row: PgRow, name: string, pattern: RegExp): string {
  const value = written(row, name);
  if (!pattern.test(value)) throw misshapen(name);
  return value;
}

function misshapen(name: string): Problem {
  return new Problem("log_damaged", `a row of the log has no ${name} as this program writes it`);
}
