/**
 * To schema 5: rows that give rights are bound to the ledger, each by a code and all by a sum in the signed head. The rows
 * are bound as they are at the upgrade, by `upgrade.ts`, which has the key.
 */
import type { Migration } from "./migration.ts";

export const boundRows: Migration = {
  to: 5,
  says: "rows that give rights are bound to the audit log",
  apply(database) {
    database.exec(`CREATE TABLE row_mac (
  tbl TEXT NOT NULL,
  id TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  mac BLOB NOT NULL CHECK (length(mac) = 32),
  PRIMARY KEY (tbl, id)
) STRICT, WITHOUT ROWID;`);
  },
};
