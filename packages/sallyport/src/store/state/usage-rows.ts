/** The rows of the usage counters in the database. Two rows about the same subject are added. */
import { OTHER_MODELS, usageCounters } from "../../usage/usage-row.ts";
import type { UsageCounter, UsageRow } from "../../usage/usage-row.ts";
import type { UsageCorrection } from "../../usage/usage-difference.ts";
import type { SqlDatabase, SqlRow } from "../disk/sqlite.ts";

export const counterColumns: Readonly<Record<UsageCounter, string>> = {
  requests: "requests",
  denied: "denied",
  inputTokens: "input_tokens",
  outputTokens: "output_tokens",
  estimated: "estimated",
  computeMs: "compute_ms",
  queueMs: "queue_ms",
  bytesIn: "bytes_in",
  bytesOut: "bytes_out",
};
const columns = usageCounters.map((counter) => counterColumns[counter]);
const SUBJECT = ["day", "environment", "key", "principal", "team", "model", "code"];
/** What no number of JavaScript holds exactly is no sum of ours. */
const MOST = Number.MAX_SAFE_INTEGER;

function upsert(times: string): string {
  const all = [...SUBJECT, ...columns, "first_at", "last_at"];
  const sums = columns.map((name) => `${name} = min(${MOST}, max(0, ${name} + excluded.${name}))`);
  return `INSERT INTO usage (${all.join(", ")}) VALUES (${all.map(() => "?").join(", ")})
    ON CONFLICT DO UPDATE SET ${sums.join(", ")}, ${times}`;
}

const ADD = upsert("first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)");
const CORRECT = upsert("first_at = excluded.first_at, last_at = max(last_at, excluded.last_at)");

function valuesOf(row: UsageRow): (string | number)[] {
  const { day, environment, key, principal, team, model, code, firstAt, lastAt } = row;
  const counts = usageCounters.map((counter) => row[counter]);
  return [day, environment, key, principal, team, model, code, ...counts, firstAt, lastAt];
}

/** Inside a transaction: adds the rows, which include every record up to number `through`. */
export function addUsageRows(database: SqlDatabase, rows: Iterable<UsageRow>, through: number): void {
  const add = database.prepare(ADD);
  for (const row of rows) add.run(...valuesOf(row));
  database.prepare("UPDATE meta SET value = ? WHERE name = 'usage_through'").run(String(through));
}

/** Inside a transaction. */
export function correctUsageRows(database: SqlDatabase, corrections: Iterable<UsageCorrection>): void {
  const correct = database.prepare(CORRECT);
  for (const row of corrections) correct.run(...valuesOf(row));
  database.exec("DELETE FROM usage WHERE requests <= 0 AND denied <= 0");
}

/** Inside a transaction or alone: removes the counters of days before `day`. */
export function endUsageBefore(database: SqlDatabase, day: number): void {
  database.prepare("DELETE FROM usage WHERE day < ?").run(day);
}

/** The models that have a separate row, for a key and a day. */
export function countedModels(database: SqlDatabase, day: number, environment: string, key: string): string[] {
  return database
    .prepare("SELECT DISTINCT model FROM usage WHERE day = ? AND environment = ? AND key = ? AND model NOT IN ('', ?)")
    .all(day, environment, key, OTHER_MODELS)
    .map((row) => String(row["model"]));
}

export function* storedUsage(database: SqlDatabase, fromDay: number): Generator<UsageRow> {
  for (const row of database.prepare("SELECT * FROM usage WHERE day >= ?").iterate(fromDay)) yield readUsageRow(row);
}

function readUsageRow(row: SqlRow): UsageRow {
  const counts = Object.fromEntries(
    usageCounters.map((counter) => [counter, Number(row[counterColumns[counter]])]),
  ) as Record<UsageCounter, number>;
  return {
    day: Number(row["day"]),
    environment: String(row["environment"]),
    key: String(row["key"]),
    principal: String(row["principal"]),
    team: String(row["team"]),
    model: String(row["model"]),
    code: String(row["code"]),
    ...counts,
    firstAt: Number(row["first_at"]),
    lastAt: Number(row["last_at"]),
  };
}
