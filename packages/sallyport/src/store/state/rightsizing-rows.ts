/** Rows of the right-sizing of keys. */
import type { Boundary } from "../../access/rightsizing/boundary.ts";
import type { Rightsizing } from "../../access/rightsizing/rightsizing.ts";
import { readRow as read } from "../disk/damaged-record.ts";
import { json, listOf, object, oneOf, orNull, text, wholeNumber } from "../disk/json-shape.ts";
import type { SqlRow, SqlValue } from "../disk/sqlite.ts";
import { dataPermission } from "./principal-rows.ts";

const boundary = listOf(object({ permissions: listOf(dataPermission), models: orNull(listOf(text)) }));
const denial = object({ at: wholeNumber, request: text, demanded: text });
const state = oneOf<Rightsizing["state"]>({ shadow: true, applied: true, ended: true });
const end = object({
  why: oneOf<NonNullable<Rightsizing["end"]>["why"]>({ stopped: true, taken_back: true }),
  by: text,
  at: wholeNumber,
});

export function readRightsizing(row: SqlRow): Rightsizing {
  return read("rightsizing", `${String(row["environment"])}/${String(row["key_id"])}`, () => ({
    environment: text(row["environment"], "environment"),
    key: text(row["key_id"], "key_id"),
    state: state(row["state"], "state"),
    boundary: json(boundary)(row["boundary"], "boundary") as Boundary,
    by: text(row["by"], "by"),
    at: wholeNumber(row["at"], "at"),
    until: wholeNumber(row["until"], "until"),
    compared: wholeNumber(row["compared"], "compared"),
    differences: wholeNumber(row["differences"], "differences"),
    examples: json(listOf(denial))(row["examples"], "examples"),
    end: row["end"] === null ? null : json(end)(row["end"], "end"),
  }));
}

export function rightsizingRow(record: Rightsizing): SqlValue[] {
  const { environment, key, state: now, boundary: within, by, at, until, compared, differences, examples } = record;
  const ended = record.end && JSON.stringify(record.end);
  return [
    environment,
    key,
    now,
    JSON.stringify(within),
    by,
    at,
    until,
    compared,
    differences,
    JSON.stringify(examples),
    ended,
  ];
}
