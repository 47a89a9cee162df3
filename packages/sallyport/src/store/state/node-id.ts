/** How this node is called in its logs, its exports and the events it sends: made once, when the database was. */
import { dataPaths } from "../disk/data-paths.ts";
import { readMeta } from "../disk/schema.ts";
import { openDatabase } from "../disk/sqlite.ts";

export function readNodeId(directory: string): string {
  const database = openDatabase(dataPaths(directory).database, { isReadOnly: true });
  try {
    return readMeta(database, "node");
  } finally {
    database.close();
  }
}
