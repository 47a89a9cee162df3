/** Binds what is written outside the writer: a new database, an upgraded one, and rows that are encrypted again. */
import type { KeyObject } from "node:crypto";
import { formatSignedHead, parseSignedHead } from "@sallyport/ledger";
import { Problem } from "@sallyport/protocol";
import { RowBinding } from "./row-binding.ts";
import { readMeta } from "../disk/schema.ts";
import { signerOfKey } from "../secrets/signing-key.ts";
import type { SqlDatabase } from "../disk/sqlite.ts";

/** Inside the caller's transaction: takes every row as it is, and signs the head over them. */
export function bindDatabase(database: SqlDatabase, signingKey: KeyObject): void {
  signOver(database, signingKey, new RowBinding(database, signingKey).bindAll());
}

/** Runs `work` in a new transaction; rows that it changes are bound again before it is committed. */
export function inBoundTransaction(
  database: SqlDatabase,
  signingKey: KeyObject,
  binding: RowBinding,
  work: () => void,
): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    work();
    signOver(database, signingKey, binding.settle());
    database.exec("COMMIT");
  } catch (cause) {
    database.exec("ROLLBACK");
    throw cause;
  }
}

function signOver(database: SqlDatabase, signingKey: KeyObject, state: string): void {
  const head = parseSignedHead(readMeta(database, "head"));
  const signer = signerOfKey(signingKey);
  // Never sign what others wrote: a head that is not genuine stays what it is.
  if (!head || !signer.isGenuine(head))
    throw new Problem("store_unavailable", "the audit log is damaged: its signed head is not genuine");
  const { seq, hash, at } = head;
  database
    .prepare("UPDATE meta SET value = ? WHERE name = 'head'")
    .run(formatSignedHead(signer.sign({ seq, hash, at, state })));
}
