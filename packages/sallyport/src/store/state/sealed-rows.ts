/**
 * Rows that contain encrypted text (private token keys, local log-ins), as places for re-encryption. With the server
 * stopped.
 */
import type { Sealer } from "../../keys/sealer.ts";
import { inBoundTransaction } from "./bind-database.ts";
import { dataPaths } from "../disk/data-paths.ts";
import { readLocalLogin } from "./local-login-rows.ts";
import { RowBinding } from "./row-binding.ts";
import type { SealedRecords } from "../secrets/sealed-records.ts";
import { openSigningKey } from "../secrets/signing-key.ts";
import { openDatabase } from "../disk/sqlite.ts";
import type { SqlRow } from "../disk/sqlite.ts";
import { readTokenKey } from "./token-rows.ts";

interface SealedRow {
  readonly id: string;
  readonly purpose: string;
  readonly sealed: string;
}

export function tokenKeyRecords(directory: string, sealer: Sealer): SealedRecords {
  return sealedRows(directory, sealer, { table: "token_key", id: "id" }, readTokenKey);
}

export function localLoginRecords(directory: string, sealer: Sealer): SealedRecords {
  return sealedRows(directory, sealer, { table: "local_login", id: "principal" }, (row) => {
    const { principal, sealed } = readLocalLogin(row);
    return { id: principal, purpose: `local-login/${principal}`, sealed: sealed ?? "" };
  });
}

/** Opens a connection for each visit and closes it: the store's own writer is idle meanwhile. */
function sealedRows(
  directory: string,
  sealer: Sealer,
  { table, id }: { readonly table: string; readonly id: string },
  read: (row: SqlRow) => SealedRow,
): SealedRecords {
  const path = dataPaths(directory).database;
  const where = "sealed IS NOT NULL";
  return {
    count() {
      const database = openDatabase(path, { isReadOnly: true });
      try {
        return Number(database.prepare(`SELECT count(*) AS n FROM ${table} WHERE ${where}`).get()?.["n"]);
      } finally {
        database.close();
      }
    },
    each(visit) {
      const database = openDatabase(path, { isReadOnly: false });
      try {
        database.exec("PRAGMA synchronous = FULL");
        const put = database.prepare(`UPDATE ${table} SET sealed = ? WHERE ${id} = ?`);
        const signingKey = openSigningKey(dataPaths(directory), sealer);
        const binding = new RowBinding(database, signingKey);
        for (const row of database.prepare(`SELECT * FROM ${table} WHERE ${where} ORDER BY ${id}`).all()) {
          const held = read(row);
          visit(held.purpose, held.sealed, (sealed) =>
            inBoundTransaction(database, signingKey, binding, () => void put.run(sealed, held.id)),
          );
        }
      } finally {
        database.close();
      }
    },
  };
}
