/**
 * Where keys are found: in the table of all keys (`key-table.ts`), and what it has no record of by one read of the
 * store. What was read is kept for a while; a record is made of the table at each use, which costs less than to keep it:
 * one that was kept lies somewhere else in memory than what it is found by.
 * `authenticate()` is the only way from a key text to a key (R5): parse and checksum before anything else, lookup by id,
 * keyed hash compared in constant time, a dummy comparison for unknown ids, the state told only to who holds the secret.
 */
import { isRefusal, parseKeyText, Problem, refuse } from "@sallyport/protocol";
import type { CredentialSignal, KeyKind, KeyText, Refusal } from "@sallyport/protocol";
import type { ImageOf, View } from "../changes/image.ts";
import { hashesAreEqual, hashKeyText } from "./hash.ts";
import { currentSecret } from "./key.ts";
import type { KeyRecord, KeySecret } from "./key.ts";
import { KeyTable } from "./key-table.ts";
import type { PepperRing } from "./pepper.ts";
import { secretRefusal } from "./secret-machine.ts";

/** The reads of the store this needs. */
export interface KeySource {
  /** Throws a `Problem` of `record_damaged` where the row is not what was written. */
  key(environment: string, id: string): KeyRecord | undefined;
  eachKeyId(visit: (environment: string, id: string) => void): void;
}

export interface Authenticated {
  readonly key: KeyRecord;
  /** Which of its secrets the caller holds. */
  readonly secret: KeySecret;
}

/** A key text's hash and the pepper it is under. */
export type HashedText = Pick<KeySecret, "hash" | "pepperVersion">;

/** Records that were read, in each of two generations: what is used stays, what is not goes. A record is about 1 kB. */
const CACHE_SIZE = 65_536;
const DAMAGED_MAX = 4_096;
const DUMMY_PEPPER = { version: 0, bytes: Buffer.alloc(32, 7) };
const DUMMY_HASH = Buffer.alloc(32);

export class KeyDirectory implements View<"key"> {
  readonly name = "keys";
  readonly hears = ["key"] as const;
  readonly #source: KeySource;
  readonly #peppers: PepperRing;
  readonly #restricted: (record: KeyRecord) => KeyRecord;
  #table = new KeyTable();
  #generation = 0;
  /** By row of the table, what it has no record of. */
  #young = new Map<number, KeyRecord>();
  #old = new Map<number, KeyRecord>();
  /** Rows of damaged keys, so that requests with such a key do not make the store read it again and again. */
  readonly #damaged = new Set<number>();
  #onOldPepper: ((key: KeyRecord, secret: KeySecret, hashed: HashedText) => void) | undefined;
  #onReuse: ((key: KeyRecord, secret: KeySecret) => void) | undefined;

  /** `restricted` gives a record as it counts for now. */
  constructor(source: KeySource, peppers: PepperRing, restricted: (record: KeyRecord) => KeyRecord = (one) => one) {
    this.#source = source;
    this.#restricted = restricted;
    this.#peppers = peppers;
    this.rebuild();
  }

  rebuild(): void {
    this.#generation++;
    this.#table = new KeyTable();
    this.#young = new Map();
    this.#old = new Map();
    this.#damaged.clear();
    this.#source.eachKeyId((environment, id) => this.#table.add(environment, id));
  }

  get size(): number {
    return this.#table.size;
  }

  /** Which table of keys it is: rows of another one are other keys'. */
  get generation(): number {
    return this.#generation;
  }

  /** The key's row, which stays its own in this table; -1 where there is no such key. */
  rowOf(environment: string, id: string): number {
    return this.#table.rowOf(environment, id);
  }

  /** Whose row it is; undefined of one that cannot be a key of ours. */
  placeAt(row: number): { readonly environment: string; readonly id: string } | undefined {
    return this.#table.placeAt(row);
  }

  /** Of the table, for benches. */
  get tableBytes(): number {
    return this.#table.bytes;
  }

  /** The key's present record; undefined for an id that is not known, and for one whose row is damaged (`isDamaged()`). */
  find(environment: string, id: string): KeyRecord | undefined {
    const row = this.#table.rowOf(environment, id);
    if (row < 0) return undefined;
    if (this.#table.isFilled(row)) return this.#restricted(this.#table.record(row, environment, id));
    const young = this.#young.get(row);
    if (young) return this.#restricted(young);
    const old = this.#old.get(row);
    if (old) {
      this.#keep(row, old);
      return this.#restricted(old);
    }
    if (this.#damaged.has(row)) return undefined;
    return this.#read(row, environment, id);
  }

  /** The key is there, and what is stored of it cannot be trusted: it opens nothing. */
  isDamaged(environment: string, id: string): boolean {
    return this.#damaged.has(this.#table.rowOf(environment, id));
  }

  #read(row: number, environment: string, id: string): KeyRecord | undefined {
    try {
      const record = this.#source.key(environment, id);
      if (!record) return undefined;
      this.#take(row, record);
      return this.#restricted(record);
    } catch (problem) {
      if (!(problem instanceof Problem) || problem.code !== "record_damaged") throw problem;
      if (this.#damaged.size >= DAMAGED_MAX) this.#damaged.clear();
      this.#damaged.add(row);
      return undefined;
    }
  }

  /** As it was written, without what counts for a time. */
  #take(row: number, record: KeyRecord): void {
    if (!this.#table.put(row, record)) this.#keep(row, record);
  }

  /** A whole record as the store has it in this very turn, ahead of its first use. */
  foresee(record: KeyRecord): void {
    const row = this.#table.rowOf(record.environment, record.id);
    if (row < 0 || this.#table.isFilled(row) || this.#young.has(row) || this.#old.has(row)) return;
    if (!this.#damaged.has(row)) this.#table.put(row, record);
  }

  /** A damaged key is met by the next one who asks for it. */
  apply(images: readonly ImageOf<"key">[]): void {
    for (const { environment, id, now } of images) {
      const row = this.#table.add(environment, id);
      this.#table.clear(row);
      this.#young.delete(row);
      this.#old.delete(row);
      this.#damaged.delete(row);
      if (now) this.#take(row, now);
    }
  }

  /**
   * The key for a text of one of the kinds, with its secret verified and its state and expiry checked at `now`. Denies
   * with `credential_malformed`, `key_unknown` (unknown id and wrong secret alike, distinguished by the signal),
   * `record_damaged`, or, only after the secret was verified, `key_revoked`, `key_rotated`, `key_expired`,
   * `key_suspended`.
   */
  authenticate(text: string, kinds: readonly KeyKind[], now: number): Authenticated | Refusal {
    const said = parseKeyText(text);
    if (!said || !kinds.includes(said.kind)) return refuse("credential_malformed").with({ signal: "malformed" });
    const found = this.#judge(text, said);
    if (found === "damaged") return refuse("record_damaged");
    if (typeof found === "string") return refuse("key_unknown").with({ signal: found });
    const { key, secret } = found;
    const refusal = stateRefusal(key, secret, now);
    if (!refusal) {
      this.#noteOldPepper(text, found);
      return found;
    }
    if (refusal.code === "key_rotated" && key.frozenAt === null) this.#onReuse?.(key, secret);
    return refusal;
  }

  /**
   * For callers that proved in another way that they act for the key: checks its state and its current secret's expiry.
   */
  admit(key: KeyRecord, now: number): Authenticated | Refusal {
    const secret = currentSecret(key);
    return stateRefusal(key, secret, now) ?? { key, secret };
  }

  /** The same, but the secret in use may have expired up to `graceMsOf(environment)` ago: all it can do is rotate. */
  authenticateLate(
    text: string,
    kinds: readonly KeyKind[],
    now: number,
    graceMsOf: (environment: string) => number,
  ): Authenticated | Refusal {
    const said = this.authenticate(text, kinds, now);
    if (!isRefusal(said) || said.code !== "key_expired") return said;
    const found = this.verify(text, parseKeyText(text)!);
    const expiresAt = found?.secret.expiresAt ?? null;
    if (found?.secret.state !== "active" || expiresAt === null) return said;
    return now < expiresAt + graceMsOf(found.key.environment) ? (keyRefusal(found.key) ?? found) : said;
  }

  /** The key and which of its secrets the text is, whatever their state; undefined if it matches none. */
  verify(text: string, said: KeyText): Authenticated | undefined {
    const found = this.#judge(text, said);
    return typeof found === "string" ? undefined : found;
  }

  #judge(text: string, said: KeyText): Authenticated | Exclude<CredentialSignal, "malformed"> | "damaged" {
    const key = this.find(said.environment, said.id);
    if (!key) {
      hashesAreEqual(hashKeyText(text, DUMMY_PEPPER), DUMMY_HASH);
      return this.isDamaged(said.environment, said.id) ? "damaged" : "unknown_id";
    }
    let found: KeySecret | undefined;
    let version = -1;
    let hash: Uint8Array | undefined;
    // The newest first: it is the one in use. Secrets of one pepper share the hash of the text.
    for (let i = key.secrets.length - 1; i >= 0; i--) {
      const secret = key.secrets[i]!;
      if (secret.pepperVersion !== version) {
        version = secret.pepperVersion;
        const pepper = this.#peppers.get(key.environment, version);
        hash = pepper && hashKeyText(text, pepper);
      }
      if (hash && hashesAreEqual(hash, secret.hash)) found = secret;
    }
    return found ? { key, secret: found } : "wrong_secret";
  }

  /** Only now is the text available: under a newer pepper the key is hashed again. */
  #noteOldPepper(text: string, { key, secret }: Authenticated): void {
    const pepper = this.#peppers.current(key.environment);
    if (!pepper || pepper.version === secret.pepperVersion) return;
    this.#onOldPepper?.(key, secret, { hash: hashKeyText(text, pepper), pepperVersion: pepper.version });
  }

  /** Told, with the new hash, when a secret that works is still hashed under an older pepper. */
  onOldPepper(then: (key: KeyRecord, secret: KeySecret, hashed: HashedText) => void): void {
    this.#onOldPepper = then;
  }

  /** Told when a secret that was replaced is used though it has ended. */
  onReuse(then: (key: KeyRecord, secret: KeySecret) => void): void {
    this.#onReuse = then;
  }

  #keep(row: number, key: KeyRecord): void {
    if (this.#young.size >= CACHE_SIZE) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(row, key);
  }
}

/** Why a genuine secret of the key is not accepted at `now`; undefined when it is. */
export function stateRefusal(key: KeyRecord, secret: KeySecret, now: number): Refusal | undefined {
  if (key.state === "revoked") return refuse("key_revoked");
  return secretRefusal(key, secret, now) ?? keyRefusal(key);
}

/** The same for a request that runs: what a secret's age and replacement forbid was asked when it was admitted. */
export function keyRefusal(key: KeyRecord): Refusal | undefined {
  if (key.state === "revoked") return refuse("key_revoked");
  return key.state === "suspended" ? refuse("key_suspended") : undefined;
}
