/**
 * What is left of a record whose time is over: its number, whose log it is in, and the hash of its leaf, so that every
 * root and proof holds without it. `{"seq":N,"ended":"prod","leaf":"<64 hex>"}`. Where its neighbours are still there
 * it names their hashes: `"prev"` the one before it, as the record did, and `"hash"` its own, which the next one names.
 */
import { isEnvironmentName } from "@sallyport/protocol";
import type { EnvironmentName } from "@sallyport/protocol";
import { isTreeHash } from "./tree-hash.ts";
import type { Sha256Text, TreeHash } from "./tree-hash.ts";
import { parseKept } from "./personal.ts";

export interface EndedRecord {
  readonly seq: number;
  readonly environment: EnvironmentName;
  readonly leaf: string;
  /** Null where the neighbour has ended too. */
  readonly prev: string | null;
  readonly hash: string | null;
}

const FORM =
  /^\{"seq":([1-9]\d{0,14}),"ended":"([a-z][a-z0-9]{0,15})"(?:,"prev":"([0-9a-f]{64})")?,"leaf":"([0-9a-f]{64})"(?:,"hash":"([0-9a-f]{64})")?\}$/;
const HEAD =
  /^\{"seq":([1-9]\d{0,14}),"prev":"[0-9a-f]{64}","type":"([^"]*)","at":-?\d+,"environment":"([a-z][a-z0-9]{0,15})"/;

export function formatEnded({ seq, environment, prev, leaf, hash }: EndedRecord): string {
  const [before, after] = [prev === null ? "" : `,"prev":"${prev}"`, hash === null ? "" : `,"hash":"${hash}"`];
  return `{"seq":${seq},"ended":"${environment}"${before},"leaf":"${leaf}"${after}}`;
}

/** Undefined for every line that `formatEnded()` does not write. */
export function parseEnded(line: string): EndedRecord | undefined {
  const [, seq, environment = "", prev = null, leaf = "", hash = null] = FORM.exec(line) ?? [];
  return seq === undefined || !isEnvironmentName(environment)
    ? undefined
    : { seq: Number(seq), environment, prev, leaf, hash };
}

/** A record's place in its log, whether the record is there or only its hash. */
export interface LogLeaf {
  readonly seq: number;
  readonly environment: EnvironmentName;
  /** Empty for one that has ended. */
  readonly type: string;
  /** The record's line; empty for one that has ended. */
  readonly line: string;
  readonly leaf: string;
}

/** Which record of which log a kept line is, by its beginning alone. */
export function placeOf(
  kept: string,
): { readonly seq: number; readonly environment: EnvironmentName; readonly isEnded: boolean } | undefined {
  const [, seq, , environment = ""] = HEAD.exec(kept) ?? [];
  if (seq !== undefined && isEnvironmentName(environment)) return { seq: Number(seq), environment, isEnded: false };
  const ended = parseEnded(kept);
  return ended && { seq: ended.seq, environment: ended.environment, isEnded: true };
}

/** Reads a kept line by its beginning alone: the caller has verified it, or will. */
export function leafOf(tree: TreeHash, kept: string): LogLeaf | undefined {
  const { line } = parseKept(kept);
  const [, seq, type = "", environment = ""] = HEAD.exec(line) ?? [];
  if (seq !== undefined && isEnvironmentName(environment))
    return { seq: Number(seq), environment, type, line, leaf: tree.leaf(line) };
  const ended = parseEnded(line);
  return ended && { seq: ended.seq, environment: ended.environment, type: "", line: "", leaf: ended.leaf };
}

/** Records that a `ledger.ended` event names: all that ended between two numbers, counted and hashed. */
export interface EndedAct {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly digest: string;
}

/** The numbers of ended records, in order, as runs: `3-17,19-40`. */
export class EndedRuns {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #count = 0;

  /** Numbers come in order. */
  add(seq: number): void {
    this.#count++;
    if (this.#ends.at(-1) === seq - 1) this.#ends[this.#ends.length - 1] = seq;
    else {
      this.#starts.push(seq);
      this.#ends.push(seq);
    }
  }

  get count(): number {
    return this.#count;
  }

  /** What an act over these numbers says. Runs that lie there in part are not of it. */
  between(sha256: Sha256Text, first: number, last: number): EndedAct {
    let count = 0;
    const runs: string[] = [];
    for (let i = this.#from(first); i < this.#starts.length && this.#ends[i]! <= last; i++) {
      count += this.#ends[i]! - this.#starts[i]! + 1;
      runs.push(`${this.#starts[i]!}-${this.#ends[i]!}`);
    }
    return { first, last, count, digest: sha256(runs.join(",")) };
  }

  /** Where a file names the same run in act after act, they are not all looked at: honest ones lie apart. */
  #budget = 1_000_000;

  /** The first number that none of the acts ends; undefined where each ended by one. */
  unexplained(sha256: Sha256Text, acts: readonly EndedAct[]): number | undefined {
    const explained = acts
      .filter(({ first, last, count, digest }) => {
        this.#budget -= this.#spanOf(first, last);
        if (this.#budget < -16 * this.#starts.length) return false;
        const found = this.between(sha256, first, last);
        return found.count === count && found.digest === digest;
      })
      .toSorted((a, b) => a.first - b.first);
    let at = 0;
    for (let i = 0; i < this.#starts.length; i++) {
      while (at < explained.length && explained[at]!.last < this.#starts[i]!) at++;
      const act = explained[at];
      if (!act || act.first > this.#starts[i]!) return this.#starts[i];
    }
    return undefined;
  }

  #spanOf(first: number, last: number): number {
    return Math.max(0, this.#from(last + 1) - this.#from(first));
  }

  /** The first run that begins at `first` or later. */
  #from(first: number): number {
    let [low, high] = [0, this.#starts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle]! < first) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The act that a record of type `ledger.ended` describes; undefined for any other type, and for unknown fields. */
export function endedActOf({
  type,
  fields,
}: {
  readonly type: string;
  readonly fields: Readonly<Record<string, unknown>>;
}): EndedAct | undefined {
  if (type !== "ledger.ended") return undefined;
  const { first_seq: first, last_seq: last, count, digest } = fields;
  const areNumbers = [first, last, count].every((value) => Number.isSafeInteger(value));
  return areNumbers && isTreeHash(digest)
    ? { first: first as number, last: last as number, count: count as number, digest }
    : undefined;
}
