/** One step between two versions of the schema. */
import type { SqlDatabase } from "../../disk/sqlite.ts";

export interface Migration {
  /** The version it makes out of the one before. */
  readonly to: number;
  /** What it does, for the log. */
  readonly says: string;
  /** Runs inside the upgrade's transaction (`now`: epoch ms): begins and commits nothing itself. What it throws undoes the whole upgrade. */
  readonly apply: (database: SqlDatabase, now: number) => void;
}
