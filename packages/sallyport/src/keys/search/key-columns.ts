/**
 * What a list of keys is filtered and sorted by, a column each: numbers in typed arrays that grow by doubling, some 70
 * bytes a key. Rows are those of the key directory.
 */
import type { KeyRecord, KeySecret, KeyState } from "../key.ts";

/** What is kept of a key; the store reads no more of its row for it. */
export type KeyBrief = Pick<
  KeyRecord,
  "environment" | "id" | "name" | "owner" | "state" | "createdAt" | "idleSince" | "lifetimeMs" | "isDecoy"
> & {
  readonly isSession: boolean;
  readonly secrets: readonly Pick<KeySecret, "generation" | "state" | "createdAt" | "expiresAt">[];
};

export const STATES = ["active", "suspended", "revoked"] as const satisfies readonly KeyState[];
const ROWS_LEAST = 1_024;

export class KeyColumns {
  /** 0: the row is not in the list; else one more than the number of its environment. */
  environment = new Uint16Array(ROWS_LEAST);
  /** Number of the owner; 0 = none. */
  owner = new Uint32Array(ROWS_LEAST);
  /** Its place in `STATES`. */
  state = new Uint8Array(ROWS_LEAST);
  /** 1: its use is watched. No one has a reason to use a canary key, and a session ends by itself. */
  isWatched = new Uint8Array(ROWS_LEAST);
  /** Epoch ms, all of them; infinite = no end, 0 = never used. */
  createdAt = new Float64Array(ROWS_LEAST);
  expiresAt = new Float64Array(ROWS_LEAST);
  usedAt = new Float64Array(ROWS_LEAST);
  idleSince = new Float64Array(ROWS_LEAST);
  /** ms; infinite = no end. */
  lifetimeMs = new Float64Array(ROWS_LEAST);
  /** Six characters each as a number, of the name the next six, too: most comparisons need no more. */
  nameStart = new Float64Array(ROWS_LEAST);
  nameNext = new Float64Array(ROWS_LEAST);
  idStart = new Float64Array(ROWS_LEAST);

  /** One more than the highest row. */
  length = 0;

  makeRoom(row: number): void {
    this.length = Math.max(this.length, row + 1);
    const held = this.environment.length;
    if (row < held) return;
    let rows = held;
    while (rows <= row) rows *= 2;
    this.environment = grown(this.environment, new Uint16Array(rows));
    this.owner = grown(this.owner, new Uint32Array(rows));
    this.state = grown(this.state, new Uint8Array(rows));
    this.isWatched = grown(this.isWatched, new Uint8Array(rows));
    this.createdAt = grown(this.createdAt, new Float64Array(rows));
    this.expiresAt = grown(this.expiresAt, new Float64Array(rows));
    this.usedAt = grown(this.usedAt, new Float64Array(rows));
    this.idleSince = grown(this.idleSince, new Float64Array(rows));
    this.lifetimeMs = grown(this.lifetimeMs, new Float64Array(rows));
    this.nameStart = grown(this.nameStart, new Float64Array(rows));
    this.nameNext = grown(this.nameNext, new Float64Array(rows));
    this.idStart = grown(this.idStart, new Float64Array(rows));
  }
}

function grown<T extends { set(from: ArrayLike<number>): void } & ArrayLike<number>>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Of one number: 48 bits of a double. */
export const START_LENGTH = 6;

/** Six characters from `from` on, in the order of texts as far as they are below 255. */
export function textStart(text: string, from: number): number {
  let number = 0;
  for (let i = from; i < from + START_LENGTH; i++)
    number = number * 256 + Math.min(255, i < text.length ? text.charCodeAt(i) : 0);
  return number;
}
