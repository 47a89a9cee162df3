/** The rows of the counters of permissions in the database. Two rows about the same subject are added. */
import { OTHER_MODELS } from "../../usage/usage-row.ts";
import type { PermissionUseRow, PermissionUseSum } from "../../usage/permission-use.ts";
import type { KeyName } from "../../usage/usage-report.ts";
import { readCounter } from "../disk/schema.ts";
import type { SqlDatabase, SqlRow } from "../disk/sqlite.ts";

/** What no number of JavaScript holds exactly is no count of ours. */
const MOST = Number.MAX_SAFE_INTEGER;

function upsert(times: string): string {
  return `INSERT INTO permission_use VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET count = min(${MOST}, max(0, count + excluded.count)), ${times}`;
}

const ADD = upsert("first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)");
const CORRECT = upsert("first_at = excluded.first_at, last_at = max(last_at, excluded.last_at)");

function valuesOf({
  environment,
  key,
  day,
  permission,
  model,
  isDenied,
  count,
  firstAt,
  lastAt,
}: PermissionUseRow): (string | number)[] {
  return [environment, key, day, permission, model, isDenied ? 1 : 0, count, firstAt, lastAt];
}

/** Inside a transaction. */
export function addPermissionUses(database: SqlDatabase, rows: Iterable<PermissionUseRow>): void {
  const add = database.prepare(ADD);
  for (const row of rows) add.run(...valuesOf(row));
}

/** Inside a transaction. Counts may be negative; the times are those that the row shall have. */
export function correctPermissionUses(database: SqlDatabase, corrections: Iterable<PermissionUseRow>): void {
  const correct = database.prepare(CORRECT);
  for (const row of corrections) correct.run(...valuesOf(row));
  database.exec("DELETE FROM permission_use WHERE count <= 0");
}

/** Inside a transaction or alone: removes the counters of days before `day`. */
export function endPermissionUsesBefore(database: SqlDatabase, day: number): void {
  database.prepare("DELETE FROM permission_use WHERE day < ?").run(day);
}

/** The models that have a separate row, for a key and a day. */
export function modelsOfPermissionUses(database: SqlDatabase, day: number, environment: string, key: string): string[] {
  return database
    .prepare(
      "SELECT DISTINCT model FROM permission_use WHERE environment = ? AND key = ? AND day = ? AND model NOT IN ('', ?)",
    )
    .all(environment, key, day, OTHER_MODELS)
    .map((row) => String(row["model"]));
}

export function* storedPermissionUses(database: SqlDatabase, fromDay: number): Generator<PermissionUseRow> {
  for (const row of database.prepare("SELECT * FROM permission_use WHERE day >= ?").iterate(fromDay))
    yield {
      environment: String(row["environment"]),
      key: String(row["key"]),
      day: Number(row["day"]),
      permission: String(row["permission"]),
      model: String(row["model"]),
      isDenied: row["denied"] === 1,
      count: Number(row["count"]),
      firstAt: Number(row["first_at"]),
      lastAt: Number(row["last_at"]),
    };
}

/** What each of some keys did, in their order, and since when that is known (epoch ms). */
export interface KeyUseHistories {
  readonly keys: readonly { readonly uses: readonly PermissionUseSum[]; readonly days: number }[];
  /** The creation of the database or its upgrade, or the first record that a rebuild found in the audit log. */
  readonly countedSince: number;
  /** Since then intents also name what was relied on without a demand. */
  readonly notedSince: number;
}

/** Since the day `fromDay`. */
export function keyUseHistories(database: SqlDatabase, keys: readonly KeyName[], fromDay: number): KeyUseHistories {
  // The key is the beginning of the table's order: its rows are found at once.
  const sums = database.prepare(
    `SELECT permission, model, total(count) FILTER (WHERE denied = 0) AS used, total(count) FILTER (WHERE denied = 1) AS refused,
       count(DISTINCT day) FILTER (WHERE denied = 0) AS days,
       min(first_at) FILTER (WHERE denied = 0) AS first_at, max(last_at) FILTER (WHERE denied = 0) AS last_at
     FROM permission_use WHERE environment = ? AND key = ? AND day >= ? GROUP BY permission, model ORDER BY permission, model`,
  );
  const days = database.prepare(
    "SELECT count(DISTINCT day) AS days FROM permission_use WHERE environment = ? AND key = ? AND day >= ? AND denied = 0",
  );
  const notedSince = readCounter(database, "permissions_since");
  const first = database.prepare("SELECT min(day) AS first FROM permission_use").get()?.["first"];
  return {
    keys: keys.map(({ environment, id }) => ({
      uses: sums.all(environment, id, fromDay).map(sumOf),
      days: Number(days.get(environment, id, fromDay)?.["days"] ?? 0),
    })),
    countedSince: typeof first === "number" ? Math.min(notedSince, first * DAY_MS) : notedSince,
    notedSince,
  };
}

const DAY_MS = 86_400_000;

function sumOf(row: SqlRow): PermissionUseSum {
  const time = (value: unknown): number | null => (value === null ? null : Number(value));
  return {
    permission: String(row["permission"]),
    model: String(row["model"]),
    used: Number(row["used"]),
    denied: Number(row["refused"]),
    days: Number(row["days"]),
    firstAt: time(row["first_at"]),
    lastAt: time(row["last_at"]),
  };
}
