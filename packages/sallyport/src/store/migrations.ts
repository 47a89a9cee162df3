/**
 * The steps from one schema to the next, oldest first. A step is a file
 * of its own in `migrations/`, named after what it does, and is never changed once it was released; with it
 * `SCHEMA_VERSION` and the tables of `schema.ts` move on, and the database a release wrote is kept in `testdata/databases/`.
 */
import { keySecrets } from "./migrations/2-key-secrets.ts";
import { factors } from "./migrations/3-factors.ts";
import { logs } from "./migrations/4-logs.ts";
import { boundRows } from "./migrations/5-bound-rows.ts";
import type { SqlDatabase } from "./sqlite.ts";

export interface Migration {
  /** The version it makes out of the one before. */
  readonly to: number;
  /** What it does, for the log. */
  readonly says: string;
  /** Runs inside the upgrade's transaction (`now`: epoch ms): begins and commits nothing itself. What it throws undoes the whole upgrade. */
  readonly apply: (database: SqlDatabase, now: number) => void;
}

export const migrations: readonly Migration[] = [keySecrets, factors, logs, boundRows];
