/**
 * The proof of one record, and of one checkpoint going on from another: two walks over the ledger, one to find the
 * place and the newest checkpoint, one to hash what the proof needs.
 */
import {
  consistencyRanges,
  formatRecordProof,
  formatVerifierKey,
  followKeyChange,
  inclusionRanges,
  KEY_CHANGE,
  logOrigin,
  parseCheckpoint,
  parseKept,
  parseRecordLine,
  Problem,
  RangeHashes,
  verifyRecordProof,
} from "@sallyport/protocol";
import type { LeafRange, LogsStart, NoteVerifier } from "@sallyport/protocol";
import { ledgerCrypto, treeHash } from "./ledger-crypto.ts";
import type { DataPaths } from "./data-paths.ts";
import { LedgerLines } from "./ledger-lines.ts";
import type { SqlDatabase } from "./sqlite.ts";

const HEAD = /^\{"seq":(\d+),"prev":"[^"]*","type":"([^"]*)","at":-?\d+,"environment":"([a-z0-9]+)"/;

/** A record by its number, or the first that names a request. */
export type RecordId = { readonly seq: number } | { readonly request: string };

interface Found {
  readonly kept: string;
  readonly environment: string;
  readonly index: number;
}

export class LedgerProofs {
  readonly #database: SqlDatabase;
  readonly #paths: DataPaths;

  constructor(database: SqlDatabase, paths: DataPaths) {
    this.#database = database;
    this.#paths = paths;
  }

  /** Throws `not_found` where there is no such record, or where it is of before the logs. */
  async ofRecord(id: RecordId): Promise<string> {
    const lines = new LedgerLines(this.#database, this.#paths);
    const logs = lines.start();
    const found = await find(lines, logs, id);
    if (!found)
      throw new Problem("not_found", "no record of a log has this id: look for it with 'sallyport audit search'");
    const { environment, index, kept } = found;
    const checkpoint = logs.checkpoints.get(environment) ?? "";
    const size = parseCheckpoint(checkpoint)?.size ?? 0;
    if (index >= size) throw new Problem("not_found", "no checkpoint covers this record yet: try again in a second");
    const { hashes: path, key } = await this.#walk(logs, environment, inclusionRanges(index, size));
    const proof = formatRecordProof({ kept, key: key ? formatVerifierKey(key) : "", index, path, checkpoint });
    const verdict = verifyRecordProof(ledgerCrypto, proof);
    if (!verdict.ok)
      throw new Problem("store_unavailable", `the ledger is damaged: ${verdict.reason}; run 'sallyport audit verify'`);
    return proof;
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
    return { checkpoint, path: (await this.#walk(logs, environment, ranges)).hashes };
  }

  async #walk(logs: LogsStart, environment: string, ranges: readonly LeafRange[]) {
    const sums = new RangeHashes(treeHash, ranges, logs.bases.get(environment));
    const origin = logOrigin(logs.node, environment);
    let key: NoteVerifier | undefined = logs.firstKeys.get(environment);
    for await (const some of new LedgerLines(this.#database, this.#paths).once()) {
      for (const { line: kept } of some) {
        const { line } = parseKept(kept);
        const [, seq, type, own] = HEAD.exec(line) ?? [];
        if (own !== environment || Number(seq) < logs.from) continue;
        sums.append(treeHash.leaf(line));
        const record = type === KEY_CHANGE ? parseRecordLine(line) : undefined;
        if (record && key) key = followKeyChange(ledgerCrypto, origin, key, record) ?? key;
      }
    }
    const hashes = sums.hashes;
    if (!hashes)
      throw new Problem("store_unavailable", "the log is shorter than its checkpoint: run 'sallyport audit verify'");
    return { hashes, key };
  }
}

/** Walks to the end: the newest checkpoint is known then. */
async function find(lines: LedgerLines, logs: LogsStart, id: RecordId): Promise<Found | undefined> {
  const sizes = new Map([...logs.bases].map(([environment, { size }]) => [environment, size]));
  const mark = "request" in id ? `"request":${JSON.stringify(id.request)}` : `{"seq":${id.seq},`;
  let found: Found | undefined;
  for await (const some of lines.once()) {
    for (const { line: kept } of some) {
      const [, seq, , environment = ""] = HEAD.exec(kept) ?? [];
      if (Number(seq) < logs.from) continue;
      const index = sizes.get(environment) ?? 0;
      sizes.set(environment, index + 1);
      if (found || !("request" in id ? kept.includes(mark) : kept.startsWith(mark))) continue;
      found = { kept, environment, index };
    }
  }
  return found;
}
