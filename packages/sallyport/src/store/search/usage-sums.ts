/** Sums of the usage counters, in the order of what they are grouped by, a page at a time. */
import { USAGE_DAYS, usageCounters } from "../../usage/usage-row.ts";
import type { UsageCounter, UsageCounts } from "../../usage/usage-row.ts";
import type { KeyName, UsageGroup, UsagePage, UsageQuestion, UsageScope, UsageSum } from "../../usage/usage-report.ts";
import { counterColumns } from "../state/usage-rows.ts";
import type { SqlDatabase, SqlRow, SqlValue } from "../disk/sqlite.ts";

/** What identifies a row of each grouping. Ids of keys are unique in an environment only. */
const COLUMNS: Readonly<Record<UsageGroup, readonly string[]>> = {
  key: ["environment", "key"],
  principal: ["principal"],
  team: ["team"],
  model: ["model"],
  environment: ["environment"],
  day: ["day"],
};
/** What else every record of one key says in the same way. */
const BESIDE: Readonly<Partial<Record<UsageGroup, readonly string[]>>> = { key: ["principal", "team"] };
// A sum that no number of JavaScript holds would end the whole answer.
const SUMS = usageCounters.map((counter) => {
  const column = counterColumns[counter];
  return `CAST(min(${Number.MAX_SAFE_INTEGER}, total(${column})) AS INTEGER) AS ${column}`;
});

interface Condition {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

export function sumUsage(database: SqlDatabase, question: UsageQuestion): UsagePage {
  const { by, after, limit } = question;
  const columns = [...new Set(by.flatMap((group) => COLUMNS[group]))];
  const beside = by.flatMap((group) => BESIDE[group] ?? []).filter((name) => !columns.includes(name));
  const scope = conditionOf(question);
  const position = after === undefined ? undefined : readCursor(after, columns.length);
  const where = position
    ? `${scope.sql} AND (${columns.join(", ")}) > (${columns.map(() => "?").join(", ")})`
    : scope.sql;
  const shown = [...columns, ...beside.map((name) => `max(${name}) AS ${name}`)];
  const rows = database
    .prepare(
      `SELECT ${shown.join(", ")}, code, ${SUMS.join(", ")}, min(first_at) AS first_at, max(last_at) AS last_at
       FROM ${tableFor(question)} WHERE ${where} GROUP BY ${columns.join(", ")}, code ORDER BY ${columns.join(", ")}, code`,
    )
    .iterate(...scope.values, ...(position ?? []));
  const page: UsageSum[] = [];
  let open: { name: string; rows: SqlRow[] } | undefined;
  let next: string | null = null;
  for (const row of rows) {
    const name = JSON.stringify(columns.map((column) => row[column]));
    if (open?.name === name) {
      open.rows.push(row);
      continue;
    }
    if (open) page.push(sumOf(open.rows, [...columns, ...beside]));
    if (page.length === limit) {
      next = open?.name ?? null;
      open = undefined;
      break;
    }
    open = { name, rows: [row] };
  }
  if (open) page.push(sumOf(open.rows, [...columns, ...beside]));
  return { rows: page, next, firstDay: firstDayOf(database, tableFor(question), scope) };
}

/** Callers ask for their own usage: what is about one owner or one key must not cost a walk over everybody's rows. */
function tableFor({ principal }: UsageScope): string {
  return principal === undefined ? "usage" : "usage INDEXED BY usage_owner";
}

/** Admitted requests of each of the keys, in their order, day by day. */
export function countRequests(database: SqlDatabase, keys: readonly KeyName[], from: number, to: number): number[][] {
  // A day and a key are the beginning of the table's order: each of these is found at once.
  const ofDay = database.prepare(
    "SELECT total(requests) AS requests FROM usage WHERE day = ? AND environment = ? AND key = ? AND code = ''",
  );
  return keys.map(({ environment, id }) => {
    const days: number[] = [];
    for (let day = from; day <= to; day++) days.push(Number(ofDay.get(day, environment, id)?.["requests"] ?? 0));
    return days;
  });
}

function conditionOf({ from, to, environments, ...exact }: UsageScope): Condition {
  const parts = ["day BETWEEN ? AND ?"];
  const values: SqlValue[] = [from, to];
  if (exact.key !== undefined && to - from < USAGE_DAYS) {
    // Day, environment and key are the beginning of the table's order: each day is found at once.
    parts.push("day IN (SELECT value FROM json_each(?))");
    values.push(JSON.stringify(Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => from + at)));
  }
  for (const column of ["environment", "key", "principal", "team", "model"] as const) {
    const value = exact[column];
    if (value === undefined) continue;
    parts.push(`${column} = ?`);
    values.push(value);
  }
  if (environments) {
    parts.push("environment IN (SELECT value FROM json_each(?))");
    values.push(JSON.stringify(environments));
  }
  return { sql: parts.join(" AND "), values };
}

function firstDayOf(database: SqlDatabase, table: string, { sql, values }: Condition): number | null {
  const first = database.prepare(`SELECT min(day) AS first FROM ${table} WHERE ${sql}`).get(...values)?.["first"];
  return typeof first === "number" ? first : null;
}

/** The values of the last row of the page before; undefined if the gateway did not write it, and the list begins again. */
function readCursor(text: string, length: number): SqlValue[] | undefined {
  try {
    const read: unknown = JSON.parse(text);
    const isOurs =
      Array.isArray(read) &&
      read.length === length &&
      read.every((value) => typeof value === "string" || Number.isSafeInteger(value));
    return isOurs ? (read as SqlValue[]) : undefined;
  } catch {
    return undefined;
  }
}

/** `rows` are of one group, one for each code. */
function sumOf(rows: readonly SqlRow[], columns: readonly string[]): UsageSum {
  const first = rows[0]!;
  const codes: Record<string, number> = {};
  for (const row of rows) {
    const code = String(row["code"]);
    if (code !== "") codes[code] = Number(row["denied"]);
  }
  const subject = Object.fromEntries(
    columns.map((name) => [name, name === "day" ? Number(first[name]) : String(first[name])]),
  );
  return { ...subject, ...countsOf(rows), codes };
}

function countsOf(rows: readonly SqlRow[]): UsageCounts {
  const sum = (counter: UsageCounter): number =>
    rows.reduce((total, row) => total + Number(row[counterColumns[counter]]), 0);
  const counts = Object.fromEntries(usageCounters.map((counter) => [counter, sum(counter)])) as Record<
    UsageCounter,
    number
  >;
  return {
    ...counts,
    firstAt: Math.min(...rows.map((row) => Number(row["first_at"]))),
    lastAt: Math.max(...rows.map((row) => Number(row["last_at"]))),
  };
}
