/** The one place where a record gets its number, its link to the record before, and the head its signature. */
import { hash } from "node:crypto";
import { formatSignedHead, parseSignedHead, Problem, recordLine } from "@sallyport/protocol";
import type { HeadSigner } from "./signing-key.ts";
import { readMeta } from "./schema.ts";
import type { SqlDatabase, SqlStatement } from "./sqlite.ts";

/** A place in the chain: the number and hash of a record. */
export interface ChainPoint {
  readonly seq: number;
  readonly hash: string;
}

export class LedgerChain {
  readonly #database: SqlDatabase;
  readonly #signer: HeadSigner;
  readonly #insert: SqlStatement;
  readonly #last: SqlStatement;
  readonly #putHead: SqlStatement;
  #seq = 0;
  #hash = "";
  #isTrusted = false;

  /** Reads the head; throws as `refresh()` does. */
  constructor(database: SqlDatabase, signer: HeadSigner) {
    this.#database = database;
    this.#signer = signer;
    this.#insert = database.prepare("INSERT INTO ledger (seq, line) VALUES (?, ?)");
    this.#last = database.prepare("SELECT seq, line FROM ledger ORDER BY seq DESC LIMIT 1");
    this.#putHead = database.prepare("UPDATE meta SET value = ? WHERE name = 'head'");
    this.refresh();
  }

  get point(): ChainPoint {
    return { seq: this.#seq, hash: this.#hash };
  }

  /** Inside a transaction: writes one record. `eventText` is what `encodeEvent()` made. */
  append(eventText: string): void {
    const line = recordLine(this.#seq + 1, this.#hash, eventText);
    this.#insert.run(this.#seq + 1, line);
    this.#seq++;
    this.#hash = hash("sha256", line, "hex");
  }

  /** Inside the same transaction, last: signs the head as it is now. `at` in epoch ms. */
  seal(at: number): void {
    const head = this.#signer.sign({ seq: this.#seq, hash: this.#hash, at });
    this.#putHead.run(formatSignedHead(head));
  }

  /** Back to a point of this transaction, after a rollback to its savepoint. */
  rewind(point: ChainPoint): void {
    this.#seq = point.seq;
    this.#hash = point.hash;
  }

  /** After a transaction that failed: the head in memory may be ahead of the database's. */
  distrust(): void {
    this.#isTrusted = false;
  }

  /**
   * Takes the head from the database, where the one in memory is not to be trusted. Throws `store_unavailable` when its signature is not genuine or the last record
   * is not the one it names: going on from there would sign what somebody else wrote.
   */
  refresh(): void {
    if (this.#isTrusted) return;
    const head = parseSignedHead(readMeta(this.#database, "head"));
    if (!head || !this.#signer.isGenuine(head)) throw damaged("its signed head is not genuine");
    const row = this.#last.get();
    // The table may be empty only before the first record: rotation leaves the newest records in it.
    if (row ? row["seq"] !== head.seq || hash("sha256", String(row["line"]), "hex") !== head.hash : head.seq !== 0) {
      throw damaged("its last record is not the one its head names");
    }
    this.#seq = head.seq;
    this.#hash = head.hash;
    this.#isTrusted = true;
  }
}

function damaged(reason: string): Problem {
  return new Problem("store_unavailable", `the ledger is damaged: ${reason}; run 'sallyport audit verify'`);
}
