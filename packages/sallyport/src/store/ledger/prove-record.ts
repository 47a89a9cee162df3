/** The proof of one record, by its number or a request's id. */
import { Problem } from "@sallyport/protocol";
import type { DataPaths } from "../disk/data-paths.ts";
import { LedgerLines } from "./ledger-lines.ts";
import { proveRecords } from "./prove-records.ts";
import { seqOfLine } from "./segment-file.ts";
import type { SqlDatabase } from "../disk/sqlite.ts";

/** A record by its number, or the first that names a request. */
export type RecordId = { readonly seq: number } | { readonly request: string };

export class LedgerProofs {
  readonly #database: SqlDatabase;
  readonly #paths: DataPaths;

  constructor(database: SqlDatabase, paths: DataPaths) {
    this.#database = database;
    this.#paths = paths;
  }

  /** Throws `not_found` where there is no such record, where it is of before the logs, and before a checkpoint covers it. */
  async ofRecord(id: RecordId): Promise<string> {
    const seq = "seq" in id ? id.seq : await this.#seqOf(id.request);
    const proof = seq === undefined ? undefined : (await proveRecords(this.#database, this.#paths, [seq])).get(seq);
    if (proof !== undefined) return proof;
    throw new Problem(
      "not_found",
      "no record of a log has this id: look for it with 'sallyport audit search'. The newest are covered by a checkpoint a second later",
    );
  }

  async #seqOf(request: string): Promise<number | undefined> {
    const mark = `"request":${JSON.stringify(request)}`;
    for await (const some of new LedgerLines(this.#database, this.#paths).once())
      for (const { line } of some) if (line.includes(mark)) return seqOfLine(line);
    return undefined;
  }
}
