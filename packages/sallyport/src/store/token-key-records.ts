/** The private parts of token keys, which lie sealed in the database, as places that are sealed anew. With the server stopped. */
import { dataPaths } from "./data-paths.ts";
import { readTokenKey } from "./token-rows.ts";
import type { SealedRecords } from "./sealed-records.ts";
import { openDatabase } from "./sqlite.ts";

/** Opens a connection for each visit and closes it: the store's own writer is idle meanwhile. */
export function tokenKeyRecords(directory: string): SealedRecords {
  const path = dataPaths(directory).database;
  return {
    count() {
      const database = openDatabase(path, { isReadOnly: true });
      try {
        return Number(database.prepare("SELECT count(*) AS n FROM token_key").get()?.["n"]);
      } finally {
        database.close();
      }
    },
    each(visit) {
      const database = openDatabase(path, { isReadOnly: false });
      try {
        database.exec("PRAGMA synchronous = FULL");
        const put = database.prepare("UPDATE token_key SET sealed = ? WHERE id = ?");
        for (const row of database.prepare("SELECT * FROM token_key ORDER BY id").all()) {
          const key = readTokenKey(row);
          visit(key.purpose, key.sealed, (sealed) => void put.run(sealed, key.id));
        }
      } finally {
        database.close();
      }
    },
  };
}
