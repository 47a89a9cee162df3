/**
 * Proofs of several records by the two walks that one proof needs: hashing a range serves every proof it is part of, and
 * the ranges of leaves far apart overlap little.
 */
import type { LeafRange, LogLeaf, LogsStart, NoteVerifier } from "@sallyport/ledger";
import {
  followKeyChange,
  formatRecordProof,
  formatVerifierKey,
  inclusionRanges,
  KEY_CHANGE,
  leafOf,
  logOrigin,
  parseCheckpoint,
  parseRecordLine,
  placeOf,
  RangeHashes,
  verifyRecordProof,
} from "@sallyport/ledger";
import { ledgerCrypto, treeHash } from "@sallyport/ledger/node";
import { Problem } from "@sallyport/protocol";
import type { EnvironmentName } from "@sallyport/protocol";
import type { DataPaths } from "../disk/data-paths.ts";
import type { SqlDatabase } from "../disk/sqlite.ts";
import { LedgerLines } from "./ledger-lines.ts";
import { seqOfLine } from "./segment-file.ts";

interface Leaf {
  readonly seq: number;
  readonly kept: string;
  readonly index: number;
}

/**
 * Proofs by the record's number. Records that do not exist (any more), are older than the logs, or are not covered by a
 * checkpoint yet, have none.
 */
export async function proveRecordsBySeq(
  database: SqlDatabase,
  paths: DataPaths,
  seqs: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const lines = new LedgerLines(database, paths);
  const logs = lines.start();
  const leaves = await findLeaves(lines, logs, new Set(seqs));
  const logsOf = [...leaves].map(([environment, found]) => {
    const checkpoint = logs.checkpoints.get(environment) ?? "";
    return new LogProofs(logs, environment, checkpoint, found);
  });
  const byEnvironment = new Map(logsOf.map((log) => [log.environment, log]));
  for await (const some of new LedgerLines(database, paths).once()) {
    for (const { line: kept } of some) {
      const found = leafOf(treeHash, kept);
      if (found && found.seq >= logs.from) byEnvironment.get(found.environment)?.append(found);
    }
  }
  return new Map(logsOf.flatMap((log) => log.proofs()));
}

async function findLeaves(lines: LedgerLines, logs: LogsStart, wanted: ReadonlySet<number>) {
  const sizes = new Map([...logs.bases].map(([environment, { size }]) => [environment, size]));
  const leaves = new Map<EnvironmentName, Leaf[]>();
  for await (const some of lines.once()) {
    for (const { line: kept } of some) {
      const found = placeOf(kept);
      if (!found || found.seq < logs.from) continue;
      const { seq, environment, isEnded } = found;
      const index = sizes.get(environment) ?? 0;
      sizes.set(environment, index + 1);
      if (!wanted.has(seq) || isEnded) continue;
      const ofLog = leaves.get(environment);
      if (ofLog) ofLog.push({ seq, kept, index });
      else leaves.set(environment, [{ seq, kept, index }]);
    }
  }
  return leaves;
}

/** The proofs of one environment's records, while its log goes by. */
class LogProofs {
  readonly environment: EnvironmentName;
  readonly #checkpoint: string;
  readonly #leaves: readonly (Leaf & { readonly ranges: readonly LeafRange[] })[];
  readonly #sums: readonly { readonly ranges: readonly LeafRange[]; readonly hashes: RangeHashes }[];
  readonly #origin: string;
  #key: NoteVerifier | undefined;

  constructor(logs: LogsStart, environment: EnvironmentName, checkpoint: string, leaves: readonly Leaf[]) {
    const size = parseCheckpoint(checkpoint)?.size ?? 0;
    this.environment = environment;
    this.#checkpoint = checkpoint;
    this.#origin = logOrigin(logs.node, environment);
    this.#key = logs.firstKeys.get(environment);
    this.#leaves = leaves
      .filter(({ index }) => index < size)
      .map((leaf) => ({ ...leaf, ranges: inclusionRanges(leaf.index, size) }));
    const base = logs.bases.get(environment);
    this.#sums = apart(this.#leaves.flatMap(({ ranges }) => ranges)).map((ranges) => ({
      ranges,
      hashes: new RangeHashes(treeHash, ranges, base),
    }));
  }

  append({ line, type, leaf }: LogLeaf): void {
    for (const { hashes } of this.#sums) hashes.append(leaf);
    const record = type === KEY_CHANGE ? parseRecordLine(line) : undefined;
    if (record && this.#key) this.#key = followKeyChange(ledgerCrypto, this.#origin, this.#key, record) ?? this.#key;
  }

  proofs(): readonly (readonly [number, string])[] {
    const found = new Map<string, string>();
    for (const { ranges, hashes } of this.#sums) {
      const all = hashes.hashes;
      if (!all)
        throw new Problem("store_unavailable", "the log is shorter than its checkpoint: run 'sallyport audit verify'");
      ranges.forEach((range, i) => found.set(nameOf(range), all[i]!));
    }
    const key = this.#key ? formatVerifierKey(this.#key) : "";
    return this.#leaves.map(({ seq, kept, index, ranges }) => {
      const path = ranges.map((range) => found.get(nameOf(range))!);
      const proof = formatRecordProof({ kept, key, index, path, checkpoint: this.#checkpoint });
      const verdict = verifyRecordProof(ledgerCrypto, proof);
      if (!verdict.ok)
        throw new Problem(
          "store_unavailable",
          `the audit log is damaged: ${verdict.reason}; run 'sallyport audit verify'`,
        );
      return [seq, proof] as const;
    });
  }
}

/** Each range once, in groups in which none overlaps another. */
function apart(asked: readonly LeafRange[]): readonly (readonly LeafRange[])[] {
  const ranges = [...new Map(asked.map((range) => [nameOf(range), range])).values()];
  const groups: LeafRange[][] = [];
  for (const range of ranges.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const group = groups.find((one) => (one.at(-1)?.end ?? 0) <= range.start);
    if (group) group.push(range);
    else groups.push([range]);
  }
  return groups;
}

function nameOf({ start, end }: LeafRange): string {
  return `${start}-${end}`;
}

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
    const proof =
      seq === undefined ? undefined : (await proveRecordsBySeq(this.#database, this.#paths, [seq])).get(seq);
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
