/** Rows of what is kept of findings. */
import { findingCodes } from "@sallyport/protocol";
import type { FindingCode } from "@sallyport/protocol";
import type { FindingRecord } from "../../access/posture/finding-record.ts";
import { readRow as read } from "../disk/damaged-record.ts";
import { amongst, json, object, orNull, text, wholeNumber } from "../disk/json-shape.ts";
import type { SqlRow, SqlValue } from "../disk/sqlite.ts";

const code = amongst(Object.keys(findingCodes) as FindingCode[]);
const acceptance = object({ until: wholeNumber, reason: text, by: text, at: wholeNumber });

export function readFindingRecord(row: SqlRow): FindingRecord {
  return read("finding", row["id"], () => ({
    id: text(row["id"], "id"),
    environment: text(row["environment"], "environment"),
    code: code(row["code"], "code"),
    subject: text(row["subject"], "subject"),
    firstSeenAt: wholeNumber(row["first_seen_at"], "first_seen_at"),
    fixedAt: orNull(wholeNumber)(row["fixed_at"], "fixed_at"),
    acceptance: row["acceptance"] === null ? null : json(acceptance)(row["acceptance"], "acceptance"),
  }));
}

export function findingRow(record: FindingRecord): SqlValue[] {
  const { id, environment, code: name, subject, firstSeenAt, fixedAt, acceptance: accepted } = record;
  return [id, environment, name, subject, firstSeenAt, fixedAt, accepted === null ? null : JSON.stringify(accepted)];
}
