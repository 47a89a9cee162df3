/**
 * One log, walked from its first kept record to its last: its tree, its keys, and the checkpoints that were handed in.
 * Damage is reported as soon as it is certain.
 */
import type { SignedCheckpoint } from "./checkpoint.ts";
import { NOT_ITS_TREE } from "./damage-words.ts";
import { followKeyChange } from "./log-keys.ts";
import { emptyTree, MerkleTree } from "./merkle-tree.ts";
import type { TreeState } from "./merkle-tree.ts";
import type { LedgerRecord } from "./record-line.ts";
import { checkNote } from "./signed-note.ts";
import type { NoteVerifier, Sha256Hex, VerifyEd25519 } from "./signed-note.ts";
import type { Sha256Text, TreeHash } from "./tree-hash.ts";

/** The cryptography a verification is given. */
export interface LedgerCrypto {
  /** Lower-case hex of SHA-256. */
  readonly sha256: Sha256Hex;
  /** The same over a text: lines are texts, and need no bytes on the way. */
  readonly sha256Text: Sha256Text;
  readonly tree: TreeHash;
  readonly verify: VerifyEd25519;
}

/** What the verifier has from elsewhere: the more, the less it has to believe. */
export interface Pins {
  /** Keys of logs, and of the node that signs exports: the first of each log or any later one. */
  readonly keys: readonly NoteVerifier[];
  /** Checkpoints that were seen before. */
  readonly checkpoints: readonly SignedCheckpoint[];
  /** Each has to have cosigned the newest checkpoint of every log, or one that was handed in. */
  readonly witnesses: readonly NoteVerifier[];
}

export const noPins: Pins = { keys: [], checkpoints: [], witnesses: [] };

/** What a log says of itself. */
export interface LogStart {
  readonly origin: string;
  /** Before its first kept record. */
  readonly base?: TreeState | undefined;
  /** Of that time; a pinned key of the same name takes its place. */
  readonly firstKey?: NoteVerifier | undefined;
  /** The newest one; the log may have gone on after it. */
  readonly checkpoint: SignedCheckpoint | undefined;
}

export class LogWalk {
  readonly origin: string;
  readonly #crypto: LedgerCrypto;
  readonly #tree: MerkleTree;
  readonly #base: TreeState;
  readonly #seen: readonly SignedCheckpoint[];
  readonly #hasPin: boolean;
  readonly #checkpoint: SignedCheckpoint | undefined;
  #isReached = false;
  #isOfItsTree = true;
  #key: NoteVerifier | undefined;
  #next = 0;

  constructor(crypto: LedgerCrypto, { origin, base = emptyTree, firstKey, checkpoint }: LogStart, pins: Pins) {
    this.origin = origin;
    this.#crypto = crypto;
    this.#base = base;
    this.#checkpoint = checkpoint;
    this.#tree = new MerkleTree(crypto.tree, base);
    const pinned = pins.keys.find(({ name }) => name === origin);
    this.#hasPin = pinned !== undefined;
    this.#key = pinned ?? firstKey;
    this.#seen = pins.checkpoints.filter((one) => one.origin === origin).toSorted((a, b) => a.size - b.size);
  }

  get size(): number {
    return this.#tree.size;
  }

  get state(): TreeState {
    return this.#tree.state;
  }

  /**
   * Takes the hash of the next leaf, and its record unless that has been removed. Returns damage of the log's past,
   * once that is certain.
   */
  take(leaf: string, record?: LedgerRecord): string | undefined {
    const damage = this.#compare();
    if (damage) return damage;
    this.#tree.append(leaf);
    if (record?.type === "ledger.key_changed" && this.#key)
      this.#key = followKeyChange(this.#crypto, this.origin, this.#key, record) ?? this.#key;
    return undefined;
  }

  /** Whether what `end()` gave is wrong with what is kept of the log, its checkpoint and its key, and with no word from elsewhere. */
  isOfRow = false;

  /** After the last record: whether the log's newest checkpoint is genuine and named this tree. */
  end(pins: Pins): string | undefined {
    const checkpoint = this.#checkpoint;
    const damage = this.#compare();
    if (damage) return damage;
    const beyond = this.#seen[this.#next];
    if (beyond)
      return `the log was rolled back: a checkpoint of ${beyond.size} records is known, and it has ${this.size}`;
    const wrong = this.#ownWord(checkpoint);
    this.isOfRow = wrong !== undefined && !this.#hasPin;
    return wrong ?? this.#cosigned(checkpoint!, pins);
  }

  #ownWord(checkpoint: SignedCheckpoint | undefined): string | undefined {
    if (!checkpoint) return "the log has no signed checkpoint";
    // Said at the end: whether a record was changed, or only what is kept of the log, shows when all records were read.
    if (!this.#isOfItsTree) return NOT_ITS_TREE;
    if (checkpoint.origin !== this.origin) return `its checkpoint is of another log, ${checkpoint.origin}`;
    if (!this.#key) return "no key of the log is known";
    const { verdict } = checkNote(this.#crypto.verify, checkpoint.note, this.#key);
    if (verdict === "forged") return "the signature of its checkpoint is not genuine";
    if (verdict === "unsigned")
      return `its checkpoint is signed by another key than ${this.#hasPin ? "the pinned one or one it named" : "its own"}`;
    if (checkpoint.size > this.size) return `the log ends early: its checkpoint says ${checkpoint.size} records`;
    if (!this.#isReached) return `its checkpoint is of before its first kept record (${checkpoint.size})`;
    return undefined;
  }

  /** The next checkpoint that is known, when the tree has come to its size. */
  #compare(): string | undefined {
    if (this.#checkpoint?.size === this.size && !this.#isReached) {
      this.#isReached = true;
      this.#isOfItsTree = this.#checkpoint.root === this.#tree.root();
    }
    for (let seen = this.#seen[this.#next]; seen && seen.size <= this.size; seen = this.#seen[this.#next]) {
      this.#next++;
      if (seen.size < this.#base.size) continue;
      if (seen.root !== this.#tree.root())
        return `the log was rewritten: a known checkpoint of ${seen.size} records names another tree`;
    }
    return undefined;
  }

  #cosigned(newest: SignedCheckpoint, { witnesses }: Pins): string | undefined {
    for (const witness of witnesses) {
      const notes = [newest, ...this.#seen].map(({ note }) => checkNote(this.#crypto.verify, note, witness).verdict);
      if (notes.includes("forged")) return `the cosignature of ${witness.name} is not genuine`;
      if (!notes.includes("genuine")) return `${witness.name} has not cosigned its checkpoint`;
    }
    return undefined;
  }
}
