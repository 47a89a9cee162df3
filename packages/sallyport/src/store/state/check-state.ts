/**
 * Whether the rows of a database are what the gateway wrote: each by its code, and all together by the sum in the signed
 * head, which finds what was removed or put back to an older state. Reads one moment, in turns.
 */
import type { KeyObject } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { Problem } from "@sallyport/protocol";
import { boundTables } from "./bound-tables.ts";
import type { BoundTable } from "./bound-tables.ts";
import { DamagedRecord } from "../disk/damaged-record.ts";
import { boundRowsOf, idOf, modulo, readState, selectRow } from "./row-binding.ts";
import { RowKeys } from "./row-keys.ts";
import { createSchema, readCounter, SCHEMA_VERSION } from "../disk/schema.ts";
import { isTooLarge, openDatabase } from "../disk/sqlite.ts";
import type { SqlDatabase, SqlRow } from "../disk/sqlite.ts";

export interface StateDifference {
  readonly table: string;
  /** Of the row; empty where only the whole differs. */
  readonly id: string;
  readonly reason: string;
}

export interface StateVerdict {
  readonly ok: boolean;
  /** Rows that were looked at. */
  readonly rows: number;
  readonly firstDifference?: StateDifference;
}

export interface StateCheck {
  readonly database: SqlDatabase;
  readonly signingKey: KeyObject;
  /** Keys and the like of the wrong shape are rejected alone, where they are read: a start continues without them. */
  readonly passesMisshapen?: boolean;
}

const PAGE_ROWS = 200;

/** Reads in a separate transaction on the connection. */
export async function checkState(check: StateCheck): Promise<StateVerdict> {
  check.database.exec("BEGIN");
  try {
    const walk = new StateWalk(check);
    for (const _ of walk.run()) await turn();
    return walk.verdict();
  } finally {
    check.database.exec("COMMIT");
  }
}

/** The same at once, in the caller's transaction. */
export function checkStateNow(check: StateCheck, isOver: () => boolean = () => false): StateVerdict {
  const walk = new StateWalk(check);
  for (const _ of walk.run()) if (isOver()) break;
  return walk.verdict();
}

/** How many rows a check of the state has to read. */
export function countBoundRows(database: SqlDatabase): number {
  return Number(database.prepare("SELECT count(*) AS rows FROM row_mac").get()?.["rows"]);
}

/** What is said of a state that is not the gateway's, with what to do. */
export function stateProblem({ table, id, reason }: StateDifference): Problem {
  const row =
    table === "sqlite_master" ? `${id} of the schema` : id === "" ? `table ${table}` : `table ${table}, row ${id}`;
  const remedy =
    table === "log"
      ? "Run 'sallyport audit repair', which makes it again from the records"
      : "Restore a backup; 'sallyport audit verify --state' checks that its rows are intact";
  return new Problem(
    "store_unavailable",
    `something other than the gateway changed the database: ${row}: ${reason}. ${remedy}`,
  );
}

class StateWalk {
  readonly #database: SqlDatabase;
  readonly #keys: RowKeys;
  readonly #passesMisshapen: boolean;
  #rows = 0;
  #codes = 0;
  #sum = 0n;
  #difference: StateDifference | undefined;

  constructor({ database, signingKey, passesMisshapen = false }: StateCheck) {
    this.#database = database;
    this.#keys = new RowKeys(signingKey);
    this.#passesMisshapen = passesMisshapen;
  }

  /** Yields now and then, so that others get a turn; ends at the first difference. */
  *run(): Generator<void> {
    this.#difference = foreignSchema(this.#database);
    if (this.#difference) return;
    for (const [name, table] of Object.entries(boundTables)) {
      // Before an upgrade there may be less of them.
      if (!hasTable(this.#database, name)) continue;
      yield* this.#compareRows(name, table);
      if (!this.#difference) yield* this.#addCodes(name, table);
      if (this.#difference) return;
    }
    this.#difference = this.#compareSum();
  }

  verdict(): StateVerdict {
    const difference = this.#difference;
    return { ok: !difference, rows: this.#rows, ...(difference ? { firstDifference: difference } : {}) };
  }

  /** Every row has its code. */
  *#compareRows(name: string, table: BoundTable): Generator<void> {
    const ids = this.#database.prepare(
      `SELECT ${idOf(table)} AS row_id ${boundRowsOf(name, table)} ORDER BY ${table.key.join(", ")}`,
    );
    const code = this.#database.prepare("SELECT epoch, mac FROM row_mac WHERE tbl = ? AND id = ?");
    for (const { row_id: rowId } of ids.all()) {
      const id = String(rowId);
      if (++this.#rows % PAGE_ROWS === 0) yield;
      const row = this.#rowOf(name, table, id);
      const held = code.get(name, id);
      if (row && held && this.#isGenuine(name, id, row, held)) continue;
      if (this.#passesMisshapen && table.isRefusedAlone && held && isMisshapen(table, row)) continue;
      const reason = held ? "the row is not what the gateway wrote" : "the gateway did not write this row";
      this.#difference = { table: name, id, reason };
      return;
    }
  }

  #isGenuine(name: string, id: string, row: SqlRow, { epoch, mac }: SqlRow): boolean {
    if (typeof epoch !== "number" || !(mac instanceof Uint8Array)) return false;
    return this.#keys.macOf(name, id, epoch, row).equals(mac);
  }

  /** Undefined where a number in it is larger than any that is written. */
  #rowOf(name: string, table: BoundTable, id: string): SqlRow | undefined {
    try {
      return selectRow(this.#database, name, table, id);
    } catch (cause) {
      if (isTooLarge(cause)) return undefined;
      throw cause;
    }
  }

  /** Every code has its row; and what the codes add up to. */
  *#addCodes(name: string, table: BoundTable): Generator<void> {
    const all = this.#database.prepare("SELECT id, mac FROM row_mac WHERE tbl = ? ORDER BY id").all(name);
    const ids = this.#database.prepare(`SELECT ${idOf(table)} AS row_id ${boundRowsOf(name, table)}`).all();
    const present = new Set(ids.map(({ row_id: id }) => String(id)));
    for (const { id, mac } of all) {
      if (++this.#codes % PAGE_ROWS === 0) yield;
      if (!present.has(String(id))) {
        this.#difference = { table: name, id: String(id), reason: "the row was removed" };
        return;
      }
      this.#sum += this.#keys.memberOf(name, String(id), mac as Uint8Array);
    }
  }

  #compareSum(): StateDifference | undefined {
    let held;
    try {
      held = readState(this.#database, this.#keys);
    } catch (cause) {
      return { table: "meta", id: "state", reason: cause instanceof Error ? cause.message : String(cause) };
    }
    if (held.epoch !== readCounter(this.#database, "epoch"))
      return { table: "meta", id: "epoch", reason: "the epoch is not the one of the state" };
    if (held.rows === this.#codes && held.sum === modulo(this.#sum)) return undefined;
    const reason = `rows were removed or put back to an older state: the signed head is of ${held.rows} rows, and ${this.#codes} are there`;
    return { table: "row_mac", id: "", reason };
  }
}

/**
 * What the database's own schema has and the program did not make. A trigger would change rows by the gateway's own
 * hand, which then are bound like any other.
 */
export function foreignSchema(database: SqlDatabase): StateDifference | undefined {
  const found = schemaOf(database);
  const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  const own = version === SCHEMA_VERSION ? ownSchema() : undefined;
  const differing = (what: { readonly type: string; readonly name: string; readonly sql: string }): boolean =>
    own === undefined ? what.type === "trigger" || what.type === "view" : own.get(what.name) !== what.sql;
  const foreign = found.find(differing);
  if (foreign) return { table: "sqlite_master", id: foreign.name, reason: `this ${foreign.type} is not the gateway's` };
  const missing = [...(own?.keys() ?? [])].find((name) => !found.some((one) => one.name === name));
  return missing === undefined ? undefined : { table: "sqlite_master", id: missing, reason: "it was removed" };
}

function schemaOf(database: SqlDatabase) {
  const rows = database.prepare("SELECT type, name, sql FROM main.sqlite_master").all();
  return rows.map(({ type, name, sql }) => ({ type: String(type), name: String(name), sql: String(sql) }));
}

let own: ReadonlyMap<string, string> | undefined;

/** The schema as this program makes it. */
function ownSchema(): ReadonlyMap<string, string> {
  if (!own) {
    const database = openDatabase(":memory:", { isReadOnly: false });
    createSchema(database, "");
    own = new Map(schemaOf(database).map(({ name, sql }) => [name, sql]));
    database.close();
  }
  return own;
}

function hasTable(database: SqlDatabase, name: string): boolean {
  return database.prepare("SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name = ?").get(name) !== undefined;
}

function isMisshapen({ read }: BoundTable, row: SqlRow | undefined): boolean {
  if (!row) return true;
  try {
    read?.(row);
    return false;
  } catch (cause) {
    return cause instanceof DamagedRecord;
  }
}
