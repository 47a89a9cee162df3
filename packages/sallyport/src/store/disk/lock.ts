/**
 * One server a data directory. The lock is the operating system's own, held through an exclusive SQLite transaction on
 * an empty file: it is taken in one step, ends with the process however that dies, and holds between containers that
 * share the directory but see each other's processes under other numbers. The file beside it only says who holds it.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { Problem } from "@sallyport/protocol";
import { dataPaths } from "./data-paths.ts";
import { openDatabase, SQLITE_BUSY, sqliteCode } from "./sqlite.ts";

export interface Lock {
  release(): void;
}

/** Throws `data_in_use` while another process, or another part of this one, holds the directory. */
export function lockDataDirectory(directory: string): Lock {
  const { lock, lockHolder } = dataPaths(directory);
  const database = openDatabase(lock, { isReadOnly: false });
  try {
    database.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (sqliteCode(error) !== SQLITE_BUSY) throw error;
    throw new Problem("data_in_use", `${directory}${holderOf(lockHolder)}`);
  }
  writeFileSync(lockHolder, `${process.pid}\n`, { mode: 0o600 });
  return {
    release() {
      rmSync(lockHolder, { force: true });
      database.close();
    },
  };
}

function holderOf(path: string): string {
  try {
    return ` (process ${readFileSync(path, "utf8").trim()})`;
  } catch {
    return "";
  }
}
