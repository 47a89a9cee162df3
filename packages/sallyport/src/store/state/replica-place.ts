/**
 * Of a machine that shares its changes with others: the deployment it belongs to, and the entry of the log of changes that
 * its database has reached. Both are bound to the audit log's signed head, as the rows they lead to.
 */
import type { KeyObject } from "node:crypto";
import { hash } from "node:crypto";
import { boundTables } from "./bound-tables.ts";
import { inBoundTransaction } from "./bind-database.ts";
import { boundRowsOf, RowBinding } from "./row-binding.ts";
import { dataPaths } from "../disk/data-paths.ts";
import { readCounter } from "../disk/schema.ts";
import { openDatabase } from "../disk/sqlite.ts";
import type { SqlDatabase } from "../disk/sqlite.ts";

/** An entry of the log: its number, and its hash as 64 hexadecimal digits. */
export interface LogPosition {
  readonly epoch: number;
  readonly head: string;
}

export interface ReplicaPlace extends LogPosition {
  readonly deployment: string;
}

function readText(database: SqlDatabase, name: "deployment" | "log_head"): string | undefined {
  const value = database.prepare("SELECT value FROM meta WHERE name = ?").get(name)?.["value"];
  return typeof value === "string" ? value : undefined;
}

/** Undefined on a single machine. */
export function readDeployment(database: SqlDatabase): string | undefined {
  return readText(database, "deployment");
}

/** Inside the transaction of the entry's change. */
export function writeLogHead(database: SqlDatabase, head: string): void {
  database.prepare("UPDATE meta SET value = ? WHERE name = 'log_head'").run(head);
}

/** Null on a single machine. */
export function readReplicaPlace(directory: string): ReplicaPlace | null {
  const database = openDatabase(dataPaths(directory).database, { isReadOnly: true });
  try {
    const deployment = readDeployment(database);
    const head = readText(database, "log_head");
    return deployment === undefined || head === undefined
      ? null
      : { deployment, head, epoch: readCounter(database, "epoch") };
  } finally {
    database.close();
  }
}

/** Makes a stopped machine a replica of a deployment, or a single machine again (`null`). */
export function writeReplicaPlace(directory: string, signingKey: KeyObject, place: ReplicaPlace | null): void {
  const database = openDatabase(dataPaths(directory).database, { isReadOnly: false });
  try {
    database.exec("PRAGMA synchronous = FULL");
    inBoundTransaction(database, signingKey, new RowBinding(database, signingKey), () => {
      database.exec("DELETE FROM meta WHERE name IN ('deployment', 'log_head')");
      if (!place) return;
      const put = database.prepare("INSERT INTO meta (name, value) VALUES (?, ?)");
      put.run("deployment", place.deployment);
      put.run("log_head", place.head);
    });
  } finally {
    database.close();
  }
}

/** Tables that each machine has for itself: its name, and how far its audit log has come. */
const OWN_TABLES = new Set(["meta", "log"]);

/**
 * SHA-256 over the epoch and every row that gives rights, in order: two machines with the same digest decide alike.
 * Reads one moment of the database.
 */
export function digestState(directory: string): {
  readonly epoch: number;
  readonly digest: string;
  readonly rows: number;
} {
  const database = openDatabase(dataPaths(directory).database, { isReadOnly: true });
  try {
    database.exec("BEGIN");
    const epoch = readCounter(database, "epoch");
    let digest = hash("sha256", `sallyport state 1\n${epoch}\n`, "hex");
    let rows = 0;
    for (const [name, table] of Object.entries(boundTables)) {
      if (OWN_TABLES.has(name)) continue;
      for (const row of database
        .prepare(`SELECT * ${boundRowsOf(name, table)} ORDER BY ${table.key.join(", ")}`)
        .iterate()) {
        const text = JSON.stringify([name, row], (_key, value: unknown) =>
          value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value,
        );
        digest = hash("sha256", `${digest}\n${text}`, "hex");
        rows++;
      }
    }
    return { epoch, digest, rows };
  } finally {
    database.close();
  }
}
