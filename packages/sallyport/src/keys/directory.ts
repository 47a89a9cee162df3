/**
 * Where keys are found: the id index first, then a bounded cache of records, then one read of the store.
 * `authenticate()` is the only way from a key text to a key (R5): parse and checksum before anything else, lookup by id,
 * keyed hash compared in constant time, a dummy comparison for unknown ids, the state told only to who holds the secret.
 */
import { parseKeyText, refuse } from "@sallyport/protocol";
import type { KeyKind, KeyText, Refusal } from "@sallyport/protocol";
import { KeyIdIndex } from "./id-index.ts";
import { hashesAreEqual, hashKeyText } from "./hash.ts";
import type { KeyRecord } from "./key.ts";
import type { PepperRing } from "./pepper.ts";

/** The reads of the store this needs. */
export interface KeySource {
  key(environment: string, id: string): KeyRecord | undefined;
  eachKeyId(visit: (environment: string, id: string) => void): void;
}

export interface Authenticated {
  readonly key: KeyRecord;
}

/** Records of each of two generations: what is used stays, what is not goes. A record is about 1 kB. */
const CACHE_SIZE = 65_536;
const DUMMY_PEPPER = { version: 0, bytes: Buffer.alloc(32, 7) };
const DUMMY_HASH = Buffer.alloc(32);

export class KeyDirectory {
  readonly #source: KeySource;
  readonly #peppers: PepperRing;
  readonly #index = new KeyIdIndex();
  #young = new Map<string, KeyRecord>();
  #old = new Map<string, KeyRecord>();

  constructor(source: KeySource, peppers: PepperRing) {
    this.#source = source;
    this.#peppers = peppers;
    source.eachKeyId((environment, id) => this.#index.add(environment, id));
  }

  get size(): number {
    return this.#index.size;
  }

  /** The key's present record; undefined for an id that is not known. */
  find(environment: string, id: string): KeyRecord | undefined {
    if (!this.#index.mayHave(environment, id)) return undefined;
    const name = `${environment}/${id}`;
    const held = this.#young.get(name) ?? this.#old.get(name);
    if (held) {
      if (!this.#young.has(name)) this.#keep(name, held);
      return held;
    }
    const read = this.#source.key(environment, id);
    if (read) this.#keep(name, read);
    return read;
  }

  /** The stored state changed: read it again at the next use. Call after each committed change of a key. */
  changed(environment: string, id: string): void {
    this.#index.add(environment, id);
    const name = `${environment}/${id}`;
    this.#young.delete(name);
    this.#old.delete(name);
  }

  /**
   * The key behind a text of one of the kinds, with its secret verified and its state and expiry checked at `now`.
   * Refuses with `credential_malformed`, `key_unknown` (unknown id and wrong secret alike), or, only after the secret
   * has verified, `key_revoked`, `key_suspended`, `key_expired`.
   */
  authenticate(text: string, kinds: readonly KeyKind[], now: number): Authenticated | Refusal {
    const said = parseKeyText(text);
    if (!said || !kinds.includes(said.kind)) return refuse("credential_malformed");
    const key = this.#verify(text, said);
    if (!key) return refuse("key_unknown");
    return stateRefusal(key, now) ?? { key };
  }

  #verify(text: string, said: KeyText): KeyRecord | undefined {
    const key = this.find(said.environment, said.id);
    const pepper = key && this.#peppers.get(key.environment, key.pepperVersion);
    const isSame = hashesAreEqual(hashKeyText(text, pepper ?? DUMMY_PEPPER), key?.hash ?? DUMMY_HASH);
    return isSame && pepper ? key : undefined;
  }

  #keep(name: string, key: KeyRecord): void {
    if (this.#young.size >= CACHE_SIZE) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(name, key);
  }
}

/** Why a genuine key is not accepted at `now`; undefined when it is. */
export function stateRefusal(key: KeyRecord, now: number): Refusal | undefined {
  if (key.state === "revoked") return refuse("key_revoked");
  if (key.expiresAt !== null && key.expiresAt <= now) return refuse("key_expired");
  if (key.state === "suspended") return refuse("key_suspended");
  return undefined;
}
