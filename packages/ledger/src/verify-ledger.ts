/**
 * The ledger's verifier: reads every record once, in order, with nothing but the cryptography handed in, so that it runs
 * at an auditor's as well as on the gateway host. It names the first damage it meets. A node's records are one chain,
 * whose head is signed; those of one environment are also a Merkle tree with signed checkpoints.
 *
 * A ledger may begin after record 1 only if retention has removed the beginning: a later record of type
 * `ledger.truncated` says `first_seq` and `first_prev` of what is kept. That record is in the chain, so the signed head
 * covers it. Older records than it allows may still be there (the deletion comes after the record); fewer may not.
 * Where the time of a class of records was over, only their hashes are left in their places, and a later record of type
 * `ledger.ended` says which: no other may have gone.
 */
import { LogWalk, noPins } from "./check-log.ts";
import type { LedgerCrypto, Pins } from "./check-log.ts";
import { logOrigin, parseCheckpoint } from "./checkpoint.ts";
import { CHANGED, missing, NOT_ITS_TREE, UNEXPLAINED } from "./damage-words.ts";
import type { LedgerDamage } from "./damage-words.ts";
import { endedActOf, EndedRuns, parseEnded } from "./ended-record.ts";
import type { EndedAct, EndedRecord } from "./ended-record.ts";
import { isEnvironmentName } from "@sallyport/protocol";
import type { EnvironmentName } from "@sallyport/protocol";
import { formatTreeState, MerkleTree } from "./merkle-tree.ts";
import type { TreeState } from "./merkle-tree.ts";
import { isBesideGenuine, parseBeside, parseKept } from "./personal.ts";
import { FIRST_PREV, parseRecordLine } from "./record-line.ts";
import type { LedgerRecord } from "./record-line.ts";
import { removedLogOf } from "./removed-log.ts";
import type { RemovedLog } from "./removed-log.ts";
import { RecordTimes } from "./record-times.ts";
import type { Unvouched } from "./record-times.ts";
import { headText } from "./signed-head.ts";
import type { SignedHead } from "./signed-head.ts";
import type { NoteVerifier } from "./signed-note.ts";

/** A kept record without its newline, and where it was found. Bytes that are not UTF-8 are handed in as an empty line. */
export interface LedgerLine {
  readonly file: string;
  readonly line: string;
}

/** What a node says of its logs. */
export interface LogsStart {
  /** Of the node; its logs are named after it. */
  readonly node: string;
  /** Records from this number on are in trees. */
  readonly from: number;
  /** The trees as they were before that record, by environment. */
  readonly bases: ReadonlyMap<EnvironmentName, TreeState>;
  readonly firstKeys: ReadonlyMap<EnvironmentName, NoteVerifier>;
  /** The newest checkpoint of each, signed; records may have come after it. */
  readonly checkpoints: ReadonlyMap<EnvironmentName, string>;
  /** Logs with names that no environment can have: an older program made them of a caller's text. */
  readonly strays: readonly string[];
  /** Logs of which nothing above can be read. */
  readonly unreadable?: readonly EnvironmentName[];
}

export interface LedgerVerification {
  readonly lines: AsyncIterable<readonly LedgerLine[]>;
  readonly crypto: LedgerCrypto;
  readonly logs: LogsStart;
  /** Ed25519 over the head's text with the ledger's public key; the signature is base64. */
  readonly verifyHead: (text: string, signature: string) => boolean;
  /** Asked after the last line, so that a source may open its consistent view late; undefined without one. */
  readonly head: () => SignedHead | undefined;
  /** The trees as the database keeps them to go on from, of the same moment as the head; asked after the last line. */
  readonly states?: () => ReadonlyMap<string, string>;
  readonly pins?: Pins;
}

export interface LedgerVerdict {
  readonly ok: boolean;
  /** Records that were verified, up to the damage where there is one. */
  readonly records: number;
  readonly firstDamage?: LedgerDamage;
  /** Times at which something may be missing. */
  readonly unvouched: readonly Unvouched[];
  readonly cannotShow: readonly string[];
}

/** What no verification with a node's own word alone can show, in words for the one who reads the verdict. */
export function cannotShow({ keys, checkpoints, witnesses }: Pins, ended = 0): readonly string[] {
  const hasPast = checkpoints.length > 0 || witnesses.length > 0;
  return [
    ...(hasPast
      ? []
      : [
          "that no older copy of the whole log was restored, and that others were not shown a different history: pass a checkpoint you kept or a witness (--checkpoint, --witness)",
        ]),
    ...(keys.length > 0
      ? []
      : ["that the keys belong to the gateway and no one forged the whole log: pass a key you kept (--key)"]),
    "that an event was recorded at all, or that what a record says is true: only that it was not changed since",
    ...(ended > 0 ? [`what was in ${ended} records whose time is over: only their hashes are left`] : []),
    "what was in records that retention has removed, and the personal fields it has erased",
  ];
}

interface Place {
  readonly seq: number;
  readonly file: string;
}

export async function verifyLedger(asked: LedgerVerification): Promise<LedgerVerdict> {
  const walk = new Walk(asked);
  for await (const lines of asked.lines) {
    for (const line of lines) {
      const damage = walk.take(line);
      if (damage) return walk.verdict(damage);
    }
  }
  return walk.verdict(walk.end());
}

class Walk {
  readonly #asked: LedgerVerification;
  readonly #pins: Pins;
  readonly #times = new RecordTimes();
  readonly #logs = new Map<EnvironmentName, LogWalk>();
  #records = 0;
  #first: LedgerRecord | undefined;
  #last = { seq: 0, hash: FIRST_PREV, kept: "", file: "" };
  #allowed: { readonly seq: number; readonly prev: unknown } | undefined;
  /** Two neighbours that do not fit: which of them was changed shows in what comes after them. */
  #misfit: { readonly before: Place; readonly after: Place } | undefined;
  readonly #ended = new EndedRuns();
  readonly #acts: EndedAct[] = [];
  /** Trees of records whose environment can be none, until an act in the ledger takes their log out. */
  readonly #strays = new Map<string, MerkleTree>();

  constructor(asked: LedgerVerification) {
    this.#asked = asked;
    this.#pins = asked.pins ?? noPins;
  }

  take({ file, line: kept }: LedgerLine): LedgerDamage | undefined {
    const last = this.#last;
    // A segment is on disk before its rows are deleted: the same record may stand in both, one right after the other.
    if (this.#records > 0 && file !== last.file && isSameRecord(kept, last.kept)) return undefined;
    const expected = last.seq + 1;
    const { line, beside } = parseKept(kept);
    const record = parseRecordLine(line);
    if (this.#misfit) return changed(!record || record.prev === last.hash, this.#misfit);
    const ended = record || !this.#first ? undefined : parseEnded(line);
    if (ended) return this.#takeEnded(ended, file);
    if (!record) return { seq: this.#first ? expected : 1, file, reason: "the line is not a well-formed record" };
    const { seq } = record;
    if (!this.#first) {
      this.#first = record;
      if (seq === 1 && record.prev !== FIRST_PREV)
        return { seq: 1, file, reason: "the first record follows another one" };
    } else {
      if (seq !== expected) return missing(expected, seq, file);
      if (record.prev !== last.hash)
        this.#misfit = { before: { seq: last.seq, file: last.file }, after: { seq, file } };
    }
    this.#last = { seq, hash: this.#asked.crypto.sha256Text(line), kept, file };
    this.#records++;
    const act = endedActOf(record);
    if (act) this.#acts.push(act);
    const removed = removedLogOf(record);
    if (removed && !this.#takeOut(removed))
      return { seq, file, reason: `the log ${JSON.stringify(removed.log)} that it takes out was another one` };
    if (record.type === "ledger.truncated") this.#allowed = widerOf(this.#allowed, record);
    this.#times.take(record);
    const values = parseBeside(beside);
    if (!values || !isBesideGenuine(this.#asked.crypto.sha256Text, record, values))
      return { seq, file, reason: "what stands beside the record is not what it was" };
    return this.#intoLog(this.#asked.crypto.tree.leaf(line), record, file, record);
  }

  /** Only its place in the chain and in its log is left to be verified. */
  #takeEnded(ended: EndedRecord, file: string): LedgerDamage | undefined {
    const { seq, prev, hash } = ended;
    const last = this.#last;
    if (seq !== last.seq + 1) return missing(last.seq + 1, seq, file);
    if (seq < this.#asked.logs.from) return { seq, file, reason: "the record is missing, and no log has its hash" };
    if (prev !== null && prev !== last.hash) return { seq: last.seq, file: last.file, reason: CHANGED };
    this.#last = { seq, hash: hash ?? "", kept: "", file };
    this.#records++;
    this.#ended.add(seq);
    return this.#intoLog(ended.leaf, ended, file);
  }

  end(): LedgerDamage | undefined {
    const last = this.#last;
    const signed = this.#asked.head();
    if (this.#misfit) return changed(signed?.hash === last.hash, this.#misfit);
    const { seq, file } = last;
    if (!signed) return { seq, file, reason: "there is no signed head" };
    if (!this.#asked.verifyHead(headText(signed), signed.signature))
      return { seq: signed.seq, file, reason: "the head's signature is not genuine" };
    if (signed.seq > seq)
      return { seq: seq + 1, file, reason: `the log ends early: the head says ${signed.seq} records` };
    if (signed.seq < seq)
      return { seq: signed.seq + 1, file, reason: `the log continues after its signed head (${signed.seq})` };
    if (signed.hash !== last.hash)
      return { seq, file, reason: "the last record was changed: the head names another hash" };
    const first = this.#first;
    if (first && first.seq > 1 && !this.#mayBeginWith(first))
      return {
        seq: 1,
        file,
        reason: `records 1 to ${first.seq - 1} are missing and no truncation that is recorded allows it`,
      };
    const unexplained = this.#ended.unexplained(this.#asked.crypto.sha256Text, this.#acts);
    if (unexplained !== undefined) return { seq: unexplained, file, reason: UNEXPLAINED };
    return this.#endOfLogs(file);
  }

  verdict(damage: LedgerDamage | undefined): LedgerVerdict {
    return {
      ok: damage === undefined,
      records: this.#records,
      ...(damage ? { firstDamage: damage } : {}),
      unvouched: this.#times.unvouched,
      cannotShow: cannotShow(this.#pins, this.#ended.count),
    };
  }

  #intoLog(
    leaf: string,
    { seq, environment }: { readonly seq: number; readonly environment: string },
    file: string,
    record?: LedgerRecord,
  ): LedgerDamage | undefined {
    if (seq < this.#asked.logs.from) return undefined;
    if (!isEnvironmentName(environment)) {
      let tree = this.#strays.get(environment);
      if (!tree) this.#strays.set(environment, (tree = new MerkleTree(this.#asked.crypto.tree)));
      tree.append(leaf);
      return undefined;
    }
    let log = this.#logs.get(environment);
    if (!log) this.#logs.set(environment, (log = this.#openLog(environment)));
    const reason = log.take(leaf, record);
    return reason === undefined ? undefined : { seq, file, reason: `log ${environment}: ${reason}` };
  }

  /**
   * False if it names another tree than its records lead to. If retention has removed some of them, that is not known.
   */
  #takeOut({ log, records, root }: RemovedLog): boolean {
    const tree = this.#strays.get(log);
    this.#strays.delete(log);
    return !tree || this.#first!.seq > 1 || (tree.size === records && tree.root() === root);
  }

  #openLog(environment: EnvironmentName): LogWalk {
    const { node, bases, firstKeys, checkpoints } = this.#asked.logs;
    const start = {
      origin: logOrigin(node, environment),
      base: bases.get(environment),
      firstKey: firstKeys.get(environment),
      checkpoint: parseCheckpoint(checkpoints.get(environment) ?? ""),
    };
    return new LogWalk(this.#asked.crypto, start, this.#pins);
  }

  #endOfLogs(file: string): LedgerDamage | undefined {
    const [unreadable] = this.#asked.logs.unreadable ?? [];
    if (unreadable !== undefined) return rowDamage(file, unreadable, "the row cannot be read");
    // A log that was begun since the verification was is found when it is begun again.
    for (const environment of new Set([...this.#asked.logs.checkpoints.keys(), ...this.#logs.keys()])) {
      if (!this.#asked.logs.checkpoints.has(environment)) return rowDamage(file, environment, "the row is missing");
      const log = this.#logs.get(environment) ?? this.#openLog(environment);
      const reason = log.end(this.#pins);
      // Of an ended record only the hash is left, and no neighbour vouches for it.
      const isOfRow = reason === NOT_ITS_TREE ? this.#ended.count === 0 : log.isOfRow;
      if (reason !== undefined && isOfRow) return rowDamage(file, environment, reason);
      if (reason !== undefined) return { seq: this.#last.seq, file, reason: `log ${environment}: ${reason}` };
      const state = this.#asked.states?.().get(environment);
      if (state !== undefined && state !== formatTreeState(log.state))
        return rowDamage(file, environment, "the tree it keeps is another than the records lead to");
    }
    for (const { origin } of this.#pins.checkpoints)
      if (![...this.#logs.values()].some((log) => log.origin === origin))
        return { seq: this.#last.seq, file, reason: `there is no log ${origin}, of which a checkpoint is known` };
    const [stray] = [...this.#asked.logs.strays, ...this.#strays.keys()];
    return stray === undefined ? undefined : { seq: 0, file, reason: strayReason(stray) };
  }

  #mayBeginWith({ seq, prev }: LedgerRecord): boolean {
    const allowed = this.#allowed;
    return allowed !== undefined && (seq < allowed.seq || (seq === allowed.seq && prev === allowed.prev));
  }
}

/** What is kept of a log is not what its records say. They are whole: they lead to the signed head. */
function rowDamage(file: string, environment: string, reason: string): LedgerDamage {
  const words = "no record was changed; run 'sallyport audit repair'";
  return { seq: 0, file, reason: `table log, row ${environment}: ${reason}; ${words}` };
}

/** What is said of a log that can be none. */
export function strayReason(name: string): string {
  return `there is a log named ${JSON.stringify(name.slice(0, 64))}, which no environment can have: run 'sallyport audit repair'`;
}

/** One of the two may have been erased of what stands beside it already. */
function isSameRecord(kept: string, other: string): boolean {
  return kept === other || parseKept(kept).line === parseKept(other).line;
}

function changed(isAfterGenuine: boolean, { before, after }: { before: Place; after: Place }): LedgerDamage {
  const { seq, file } = isAfterGenuine ? before : after;
  return { seq, file, reason: CHANGED };
}

/** The truncation that removes more. Damaged fields allow nothing. */
function widerOf(held: { readonly seq: number; readonly prev: unknown } | undefined, record: LedgerRecord) {
  const { first_seq: seq, first_prev: prev } = record.fields;
  if (typeof seq !== "number" || seq > record.seq) return held;
  return held && held.seq >= seq ? held : { seq, prev };
}
