/**
 * The embedded database: `node:sqlite` where the running Node has it without a flag, else `@photostructure/sqlite`,
 * which has the same API and brings its binary along. Only what the store uses of it is declared.
 */
import { createRequire } from "node:module";

export type SqlValue = null | number | bigint | string | Uint8Array;
export type SqlRow = Readonly<Record<string, SqlValue>>;

export interface SqlStatement {
  run(...values: SqlValue[]): { readonly changes: number | bigint };
  get(...values: SqlValue[]): SqlRow | undefined;
  all(...values: SqlValue[]): SqlRow[];
  iterate(...values: SqlValue[]): Iterable<SqlRow>;
}

export interface SqlDatabase {
  exec(sql: string): void;
  /** The same text gives the same statement, so it may be asked for wherever it is used. Do not iterate it twice at once. */
  prepare(sql: string): SqlStatement;
  close(): void;
}

type DatabaseClass = new (file: string, options: { readonly readOnly: boolean }) => SqlDatabase;

const require = createRequire(import.meta.url);
const DatabaseSync = builtIn() ?? (require("@photostructure/sqlite") as { DatabaseSync: DatabaseClass }).DatabaseSync;

/** Waiting is for opening only (another process may be recovering the log); the writer sets it to 0 afterwards. */
const OPEN_BUSY_TIMEOUT_MS = 5_000;

export function openDatabase(file: string, { isReadOnly }: { readonly isReadOnly: boolean }): SqlDatabase {
  const database = new DatabaseSync(file, { readOnly: isReadOnly });
  database.exec(`PRAGMA busy_timeout = ${OPEN_BUSY_TIMEOUT_MS}`);
  // A statement lives until it is collected, and with it the connection's files: each is made once.
  const statements = new Map<string, SqlStatement>();
  return {
    exec: (sql) => database.exec(sql),
    prepare(sql) {
      const held = statements.get(sql) ?? database.prepare(sql);
      statements.set(sql, held);
      return held;
    },
    close() {
      statements.clear();
      database.close();
    },
  };
}

/** SQLite's primary result code (13 = full, 5 = busy…); undefined for an error that is not SQLite's. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return undefined;
  return error.errcode & 0xff;
}

export const SQLITE_BUSY = 5;
export const SQLITE_FULL = 13;

/** Whether the error says that the file is no database, or one whose pages contradict each other. */
export function isCorruption(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === 11 || code === 26;
}

/** An integer that no JavaScript number holds: the driver gives up on the whole answer, whichever row it was in. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof Error && /too large to be represented/.test(error.message);
}

function builtIn(): DatabaseClass | undefined {
  const emitWarning = process.emitWarning.bind(process);
  try {
    // Some releases call it experimental each time it is loaded; that is not the operator's concern.
    process.emitWarning = () => {};
    const { DatabaseSync: found } = require("node:sqlite") as { DatabaseSync: DatabaseClass };
    new found(":memory:", { readOnly: false }).close();
    return found;
  } catch {
    return undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}
