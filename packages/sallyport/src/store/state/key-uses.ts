/** The last uses of keys on disk: each write keeps the later time, so that order and repetition do not matter. */
import type { KeyUse } from "../../keys/use-record.ts";
import type { SqlDatabase } from "../disk/sqlite.ts";

/** Merges in a separate transaction; throws the disk's error, and nothing is then written. */
export function makeMergeUses(database: SqlDatabase): (uses: readonly KeyUse[]) => void {
  const merge = database.prepare(
    `INSERT INTO key_use (environment, id, generation, address, agent, used_at) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET used_at = max(used_at, excluded.used_at)`,
  );
  return function mergeUses(uses) {
    database.exec("BEGIN IMMEDIATE");
    try {
      for (const { environment, id, generation, address, agent, usedAt } of uses)
        merge.run(environment, id, generation, address, agent, usedAt);
      database.exec("COMMIT");
    } catch (error) {
      database.exec("ROLLBACK");
      throw error;
    }
  };
}
