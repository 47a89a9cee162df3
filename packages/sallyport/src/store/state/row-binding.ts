/**
 * Binds rows to the ledger as they are written: a code for each, and one sum of all of them, whose code is in the signed
 * head. Triggers of the writing connection note every row that is touched, so that no statement can forget it; before the
 * head is signed, in the same transaction, the codes and the sum follow.
 */
import { randomBytes } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { parseSignedHead } from "@sallyport/ledger";
import { Problem } from "@sallyport/protocol";
import { boundTables, unboundTables } from "./bound-tables.ts";
import type { BoundTable } from "./bound-tables.ts";
import { json, object, text, wholeNumber } from "../disk/json-shape.ts";
import { RowKeys } from "./row-keys.ts";
import { readCounter, readMeta } from "../disk/schema.ts";
import type { SqlDatabase, SqlRow } from "../disk/sqlite.ts";

/** The sum of all rows, as the database stores it: masked, so that it reveals nothing about its summands. */
const keptState = json(object({ epoch: wholeNumber, rows: wholeNumber, nonce: text, sum: text }));

interface StateSum {
  readonly rows: number;
  readonly sum: bigint;
}

export interface KeptState extends StateSum {
  /** Of policy, when it was written. */
  readonly epoch: number;
  /** What the head names. */
  readonly code: string;
}

/** A state with its text, as the database keeps it. */
interface WrittenState extends KeptState {
  readonly text: string;
}

/** `FROM` and the condition of a table's bound rows. */
export function boundRowsOf(name: string, { only }: BoundTable): string {
  return only === undefined ? `FROM ${name}` : `FROM ${name} WHERE ${only("")}`;
}

/** The name of a row in its table, in SQL: `dev/0123456789ab`. `of` is empty, or what the columns are of, with its dot. */
export function idOf({ key }: BoundTable, of = ""): string {
  return key.map((column) => `${of}${column}`).join(" || '/' || ");
}

export function rowIdOf({ key }: BoundTable, row: SqlRow): string {
  return key.map((column) => String(row[column])).join("/");
}

export class RowBinding {
  readonly #database: SqlDatabase;
  readonly #keys: RowKeys;
  /** The state as it was written last: what is read again is compared with its text, and read only where it differs. */
  #written: WrittenState | null = null;

  /** The connection is the one that writes. */
  constructor(database: SqlDatabase, signingKey: KeyObject) {
    this.#database = database;
    this.#keys = new RowKeys(signingKey);
    database.exec(
      `CREATE TEMP TABLE touched (tbl TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (tbl, id)) WITHOUT ROWID;
       ${Object.entries(boundTables).map(triggersOf).join("\n")}`,
    );
  }

  /** Inside a transaction, last but for the head: brings codes and sum up to date. Gives the state's code, for the head. */
  settle(): string {
    const database = this.#database;
    const touched = database.prepare("SELECT tbl, id FROM touched").all();
    const held = readState(database, this.#keys, this.#written);
    const epoch = readCounter(database, "epoch");
    if (touched.length === 0 && epoch === held.epoch) return held.code;
    let { rows, sum } = held;
    for (const { tbl, id } of touched) {
      const change = this.#settleRow(String(tbl), String(id), epoch);
      rows += change.rows;
      sum += change.sum;
    }
    database.exec("DELETE FROM touched");
    this.#written = writeState(database, this.#keys, { epoch, rows, sum: modulo(sum) });
    return this.#written.code;
  }

  /** Takes every row as it is: for a database that was just made, or is upgraded to schema 5. */
  bindAll(): string {
    const database = this.#database;
    demandDecided(database);
    database.exec("DELETE FROM touched; DELETE FROM row_mac");
    const epoch = readCounter(database, "epoch");
    let [rows, sum] = [0, 0n];
    for (const [name, table] of Object.entries(boundTables))
      for (const { row_id: id } of database
        .prepare(`SELECT ${idOf(table)} AS row_id ${boundRowsOf(name, table)}`)
        .all()) {
        const change = this.#settleRow(name, String(id), epoch);
        rows += change.rows;
        sum += change.sum;
      }
    database.prepare("INSERT OR IGNORE INTO meta (name, value) VALUES ('state', '')").run();
    return writeState(database, this.#keys, { epoch, rows, sum: modulo(sum) }).code;
  }

  #settleRow(name: string, id: string, epoch: number): StateSum {
    const database = this.#database;
    const table = boundTables[name];
    if (!table) throw new Error(`the rows of ${name} are not bound`);
    const held = database.prepare("SELECT mac FROM row_mac WHERE tbl = ? AND id = ?").get(name, id)?.["mac"];
    const row = selectRow(database, name, table, id);
    let [rows, sum] = [0, 0n];
    if (held instanceof Uint8Array) {
      rows--;
      sum -= this.#keys.memberOf(name, id, held);
    }
    if (row) {
      const mac = this.#keys.macOf(name, id, epoch, row);
      database.prepare("INSERT OR REPLACE INTO row_mac VALUES (?, ?, ?, ?)").run(name, id, epoch, mac);
      rows++;
      sum += this.#keys.memberOf(name, id, mac);
    } else database.prepare("DELETE FROM row_mac WHERE tbl = ? AND id = ?").run(name, id);
    return { rows, sum };
  }
}

/**
 * The kept sum, where it is the one that the head names. Throws `store_unavailable` where it is not. What its text stands
 * for is known where it is the one that was `written` last.
 */
export function readState(database: SqlDatabase, keys: RowKeys, written: WrittenState | null = null): KeptState {
  const kept = readMeta(database, "state");
  const head = parseSignedHead(readMeta(database, "head"));
  const code = written?.text === kept ? written.code : keys.codeOf(kept);
  if (head?.state !== code)
    throw new Problem(
      "store_unavailable",
      "the state of the database is not the one that the audit log's signed head names: restore a backup that is whole",
    );
  if (written?.text === kept) return written;
  const { epoch, rows, nonce, sum } = keptState(kept, "state");
  return { epoch, rows, sum: modulo(BigInt(`0x${sum}`) - keys.maskOf(nonce)), code };
}

function writeState(database: SqlDatabase, keys: RowKeys, { epoch, rows, sum }: Omit<KeptState, "code">): WrittenState {
  const nonce = randomBytes(16).toString("hex");
  const hidden = modulo(sum + keys.maskOf(nonce)).toString(16);
  const kept = JSON.stringify({ epoch, rows, nonce, sum: hidden });
  database.prepare("UPDATE meta SET value = ? WHERE name = 'state'").run(kept);
  return { text: kept, epoch, rows, sum, code: keys.codeOf(kept) };
}

export function modulo(sum: bigint): bigint {
  return BigInt.asUintN(256, sum);
}

/** A row by its name; undefined if it is missing, or has a number that no version of this program writes. */
export function selectRow(database: SqlDatabase, name: string, table: BoundTable, id: string): SqlRow | undefined {
  const parts = table.key.length === 1 ? [id] : [id.slice(0, id.indexOf("/")), id.slice(id.indexOf("/") + 1)];
  const where = table.key.map((column) => `${column} = ?`).join(" AND ");
  return database.prepare(`SELECT * FROM ${name} WHERE ${where}`).get(...parts);
}

function triggersOf([name, table]: [string, BoundTable]): string {
  const note = (of: string): string => `INSERT OR IGNORE INTO touched VALUES ('${name}', ${idOf(table, of)});`;
  const on = (event: string, of: string, body: string): string => {
    const when = table.only === undefined ? "" : `WHEN ${table.only(of)}`;
    return `CREATE TEMP TRIGGER touch_${name}_${event.toLowerCase()} AFTER ${event} ON main.${name} ${when} BEGIN ${body} END;`;
  };
  return [
    on("INSERT", "NEW.", note("NEW.")),
    on("UPDATE", "NEW.", `${note("OLD.")} ${note("NEW.")}`),
    on("DELETE", "OLD.", note("OLD.")),
  ].join("\n");
}

/** Throws if the schema has a table without a decision. */
export function demandDecided(database: SqlDatabase): void {
  const names = database.prepare("SELECT name FROM main.sqlite_master WHERE type = 'table'").all();
  const open = names.map(({ name }) => String(name)).filter((name) => !(name in boundTables || name in unboundTables));
  if (open.length > 0)
    throw new Error(`say in bound-tables.ts whether the rows of ${open.join(", ")} are bound to the ledger`);
}
