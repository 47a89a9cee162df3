/** The proof of one record, by its number or a request's id, and of a log's newest checkpoint going on from an older one. */
import { consistencyRanges, parseCheckpoint, parseKept, Problem, RangeHashes } from "@sallyport/protocol";
import type { LeafRange, LogsStart } from "@sallyport/protocol";
import type { DataPaths } from "./data-paths.ts";
import { treeHash } from "./ledger-crypto.ts";
import { LedgerLines } from "./ledger-lines.ts";
import { proveRecords } from "./prove-records.ts";
import { seqOfLine } from "./segment-file.ts";
import type { SqlDatabase } from "./sqlite.ts";

const HEAD = /^\{"seq":(\d+),"prev":"[^"]*","type":"[^"]*","at":-?\d+,"environment":"([a-z0-9]+)"/;

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

  /** From a tree of `size` leaves to the newest checkpoint of an environment's log. */
  async ofGrowth(
    environment: string,
    size: number,
  ): Promise<{ readonly checkpoint: string; readonly path: readonly string[] }> {
    const lines = new LedgerLines(this.#database, this.#paths);
    const logs = lines.start();
    const checkpoint = logs.checkpoints.get(environment);
    const to = parseCheckpoint(checkpoint ?? "")?.size;
    if (checkpoint === undefined || to === undefined)
      throw new Problem("not_found", `there is no log of ${environment}`);
    if (size > to)
      throw new Problem(
        "conflict",
        `the log of ${environment} has ${to} records, fewer than ${size}: it was rolled back`,
      );
    const ranges = size === 0 ? [] : consistencyRanges(size, to);
    return { checkpoint, path: await this.#hashes(logs, environment, ranges) };
  }

  async #seqOf(request: string): Promise<number | undefined> {
    const mark = `"request":${JSON.stringify(request)}`;
    for await (const some of new LedgerLines(this.#database, this.#paths).once())
      for (const { line } of some) if (line.includes(mark)) return seqOfLine(line);
    return undefined;
  }

  async #hashes(logs: LogsStart, environment: string, ranges: readonly LeafRange[]): Promise<readonly string[]> {
    const sums = new RangeHashes(treeHash, ranges, logs.bases.get(environment));
    for await (const some of new LedgerLines(this.#database, this.#paths).once()) {
      for (const { line: kept } of some) {
        const { line } = parseKept(kept);
        const [, seq, own] = HEAD.exec(line) ?? [];
        if (own === environment && Number(seq) >= logs.from) sums.append(treeHash.leaf(line));
      }
    }
    const hashes = sums.hashes;
    if (!hashes)
      throw new Problem("store_unavailable", "the log is shorter than its checkpoint: run 'sallyport audit verify'");
    return hashes;
  }
}
