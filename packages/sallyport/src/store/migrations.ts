/**
 * The steps from one schema to the next, oldest first; there is none yet, for version 1 is the first. A step is a file
 * of its own in `migrations/`, named after what it does, and is never changed once it was released; with it
 * `SCHEMA_VERSION` and the tables of `schema.ts` move on, and the database a release wrote is kept in `testdata/databases/`.
 */
import type { SqlDatabase } from "./sqlite.ts";

export interface Migration {
  /** The version it makes out of the one before. */
  readonly to: number;
  /** What it does, for the log. */
  readonly says: string;
  /** Runs inside the upgrade's transaction: begins and commits nothing itself. What it throws undoes the whole upgrade. */
  readonly apply: (database: SqlDatabase) => void;
}

export const migrations: readonly Migration[] = [];
