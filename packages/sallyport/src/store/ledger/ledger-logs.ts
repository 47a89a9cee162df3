/**
 * The logs of a node, one for each environment: its tree as far as it is on disk, and its newest checkpoint. Written in
 * the transaction of the records they are of.
 */
import type { KeyObject } from "node:crypto";
import type { TreeState } from "@sallyport/ledger";
import {
  emptyTree,
  encodeEvent,
  formatCheckpoint,
  formatSignedNote,
  formatTreeState,
  formatVerifierKey,
  KEY_CHANGE,
  keyChangeFields,
  keyChangeText,
  logOrigin,
  MerkleTree,
  parseCheckpoint,
  parseTreeState,
  strayReason,
} from "@sallyport/ledger";
import { treeHash } from "@sallyport/ledger/node";
import type { EnvironmentName } from "@sallyport/protocol";
import { isEnvironmentName, Problem, SYSTEM_REALM } from "@sallyport/protocol";
import { readMeta } from "../disk/schema.ts";
import type { SqlDatabase, SqlRow, SqlStatement } from "../disk/sqlite.ts";
import type { NoteSigner } from "./note-signer.ts";
import { deriveNoteSigner } from "./note-signer.ts";

/** A checkpoint is signed this long after the one before, or this many records, whichever is first: a signature costs more than a record. */
export const CHECKPOINT_MS = 1_000;
const CHECKPOINT_RECORDS = 4_096;

/** How long a log's key signs, in ms. */
export const LOG_KEY_AGE_MS = 90 * 86_400_000;

interface Log {
  readonly environment: EnvironmentName;
  readonly origin: string;
  tree: MerkleTree;
  generation: number;
  /** Epoch ms. */
  keySince: number;
  isNew: boolean;
  /** The newest checkpoint: signed, of so many records, at that time. */
  checkpoint: string;
  signedSize: number;
  signedAt: number;
}

const UNSIGNED = { checkpoint: "", signedSize: -1, signedAt: -Infinity };

/** A savepoint of the logs: a rejected change takes its records along. */
export type LogsMark = ReadonlyMap<string, TreeState>;

export class LedgerLogs {
  readonly #root: KeyObject;
  readonly #select: SqlStatement;
  readonly #insert: SqlStatement;
  readonly #update: SqlStatement;
  readonly #owner: SqlStatement;
  readonly #node: string;
  readonly #signers = new Map<string, NoteSigner>();
  readonly #logs = new Map<string, Log>();
  readonly #touched = new Set<Log>();

  constructor(database: SqlDatabase, root: KeyObject) {
    this.#root = root;
    this.#node = readMeta(database, "node");
    this.#select = database.prepare("SELECT environment, state, checkpoint, generation, key_since FROM log");
    this.#owner = database.prepare(
      "SELECT 1 FROM environment WHERE name = ? UNION ALL SELECT 1 FROM key WHERE environment = ? LIMIT 1",
    );
    this.#insert = database.prepare(
      "INSERT INTO log (environment, base, first_key, state, checkpoint, generation, key_since) VALUES (?, '0:', ?, '0:', '', 1, ?)",
    );
    this.#update = database.prepare(
      "UPDATE log SET state = ?, checkpoint = ?, generation = ?, key_since = ? WHERE environment = ?",
    );
  }

  /** The logs as the database has them. Throws `store_unavailable` for a row that we did not write. */
  refresh(): void {
    this.#logs.clear();
    this.#touched.clear();
    for (const row of this.#select.all()) {
      const log = this.#logOf(row);
      this.#logs.set(log.environment, log);
    }
  }

  /** Whether records of it may stand in a log: the realm, an environment of the policy or of a key, or one that has a log. */
  isKnown(environment: EnvironmentName): boolean {
    if (environment === SYSTEM_REALM || this.#logs.has(environment)) return true;
    return this.#owner.get(environment, environment) !== undefined;
  }

  /** The next record of an environment. */
  append(environment: EnvironmentName, line: string): void {
    let log = this.#logs.get(environment);
    if (!log) {
      const origin = logOrigin(this.#node, environment);
      log = {
        environment,
        origin,
        tree: new MerkleTree(treeHash),
        generation: 1,
        keySince: 0,
        isNew: true,
        ...UNSIGNED,
      };
      this.#logs.set(environment, log);
    }
    log.tree.append(treeHash.leaf(line));
    this.#touched.add(log);
  }

  get mark(): LogsMark {
    return new Map([...this.#logs].map(([environment, { tree }]) => [environment, tree.state]));
  }

  rewind(mark: LogsMark): void {
    for (const log of this.#logs.values()) log.tree = new MerkleTree(treeHash, mark.get(log.environment) ?? emptyTree);
  }

  /** Events by which keys that are too old name their successors, to be appended before the logs are signed. */
  *keyChanges(now: number): Generator<string> {
    for (const log of this.#touched) {
      if (log.isNew || now - log.keySince < LOG_KEY_AGE_MS) continue;
      const old = this.#signer(log);
      log.generation++;
      log.keySince = now;
      const [oldKey, newKey] = [old.verifier, this.#signer(log).verifier].map(formatVerifierKey) as [string, string];
      const signature = old.signBare(keyChangeText(log.origin, oldKey, newKey));
      const fields = keyChangeFields(oldKey, newKey, signature);
      yield encodeEvent({ type: KEY_CHANGE, at: now, environment: log.environment, actor: "gateway", fields });
    }
  }

  /** Whether some log has records that no checkpoint covers. */
  get isBehind(): boolean {
    for (const { tree, signedSize } of this.#logs.values()) if (tree.size > signedSize) return true;
    return false;
  }

  /** Writes down every log that has grown, with a new checkpoint where one is due or all are asked for. */
  seal(now: number, isAll = false): void {
    const logs = isAll ? this.#logs.values() : this.#touched;
    for (const log of logs) {
      const { environment, tree } = log;
      if (log.isNew) {
        log.keySince = now;
        this.#insert.run(environment, formatVerifierKey(this.#signer(log).verifier), now);
        log.isNew = false;
      }
      const isDue = now - log.signedAt >= CHECKPOINT_MS || tree.size - log.signedSize >= CHECKPOINT_RECORDS;
      if (tree.size > log.signedSize && (isAll || isDue)) this.#sign(log, now);
      this.#update.run(formatTreeState(tree.state), log.checkpoint, log.generation, log.keySince, environment);
    }
    this.#touched.clear();
  }

  #sign(log: Log, now: number): void {
    const { origin, tree } = log;
    const text = formatCheckpoint({ origin, size: tree.size, root: tree.root() });
    log.checkpoint = formatSignedNote({ text, signatures: [this.#signer(log).sign(text)] });
    log.signedSize = tree.size;
    log.signedAt = now;
  }

  #signer({ origin, generation }: Log): NoteSigner {
    const name = `${origin} ${generation}`;
    let signer = this.#signers.get(name);
    if (!signer) this.#signers.set(name, (signer = deriveNoteSigner(this.#root, origin, generation)));
    return signer;
  }

  #logOf({ environment, state, checkpoint, generation, key_since: keySince }: SqlRow): Log {
    if (typeof environment === "string" && !isEnvironmentName(environment))
      throw new Problem("store_unavailable", `the audit log is damaged: ${strayReason(environment)}`);
    const tree = typeof state === "string" ? parseTreeState(state) : undefined;
    const signed = typeof checkpoint === "string" ? parseCheckpoint(checkpoint) : undefined;
    if (
      typeof environment !== "string" ||
      typeof checkpoint !== "string" ||
      !tree ||
      !signed ||
      typeof generation !== "number" ||
      typeof keySince !== "number"
    )
      throw new Problem(
        "store_unavailable",
        "the audit log is damaged: the row of a log in table log cannot be read; run 'sallyport audit repair'",
      );
    const origin = logOrigin(this.#node, environment);
    return {
      environment,
      origin,
      tree: new MerkleTree(treeHash, tree),
      generation,
      keySince,
      isNew: false,
      checkpoint,
      signedSize: signed.size,
      signedAt: 0,
    };
  }
}

/** Throws `unknown_environment` where there is neither an environment nor a log of that name, with those there are. */
export function logNamed(database: SqlDatabase, text: string): EnvironmentName {
  const rows = database.prepare("SELECT name FROM environment UNION SELECT environment FROM log ORDER BY 1").all();
  const names = rows.map(({ name }) => String(name)).filter((name) => isEnvironmentName(name));
  const known = names.find((name) => name === text);
  if (known === undefined)
    throw new Problem("unknown_environment", `there is no log ${text}; known: ${names.join(", ") || "none"}`);
  return known;
}
