/** Where a row is read, its code is checked: a row that something else wrote is damage, whatever it says. */
import { boundTables } from "./bound-tables.ts";
import type { BoundTable } from "./bound-tables.ts";
import { DamagedRecord } from "../disk/damaged-record.ts";
import { idOf, rowIdOf } from "./row-binding.ts";
import type { RowKeys } from "./row-keys.ts";
import type { SqlRow } from "../disk/sqlite.ts";

/** Beside a row's own columns, in the same statement: a commit between two would make a row and its code strangers. */
const EPOCH = "#epoch";
const MAC = "#mac";

/** `SELECT` of a bound table's rows with their codes. */
export function selectWithCode(name: string): string {
  const where = `FROM row_mac WHERE row_mac.tbl = '${name}' AND row_mac.id = ${idOf(tableOf(name), `${name}.`)}`;
  return `SELECT *, (SELECT epoch ${where}) AS "${EPOCH}", (SELECT mac ${where}) AS "${MAC}" FROM ${name}`;
}

/** Makes the reading of a table's rows one that throws `record_damaged` for those that the gateway did not write. */
export function genuineRows<T>(keys: RowKeys, name: string, read: (row: SqlRow) => T): (row: SqlRow) => T {
  const table = tableOf(name);
  return (row) => {
    // First its shape: of what is misshapen the place is named.
    const value = read(row);
    const id = rowIdOf(table, row);
    const { [EPOCH]: epoch, [MAC]: mac, ...columns } = row;
    const isGenuine =
      typeof epoch === "number" && mac instanceof Uint8Array && keys.macOf(name, id, epoch, columns).equals(mac);
    if (!isGenuine) throw new DamagedRecord(name, id, "it is not what the gateway wrote");
    return value;
  };
}

function tableOf(name: string): BoundTable {
  const table = boundTables[name];
  if (!table) throw new Error(`the rows of ${name} are not bound`);
  return table;
}
