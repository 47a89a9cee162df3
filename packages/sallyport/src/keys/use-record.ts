/**
 * When keys were last used, to the millisecond in memory and on disk a few seconds later: never a write per request.
 * While a key rotates, or where it may rotate itself, each instance (address and user agent) that uses it is kept apart, so that an operator sees who
 * still has the old secret. What a kill loses is some seconds of uses.
 */
import type { KeyRecord, KeySecret } from "./key.ts";

export interface KeyUse {
  readonly environment: string;
  readonly id: string;
  readonly generation: number;
  /** Both empty where only the time is kept. */
  readonly address: string;
  readonly agent: string;
  /** Epoch ms. */
  readonly usedAt: number;
}

/** The store's side. Writing keeps the later time of the two, so that order does not matter. */
export interface UseStore {
  keyUses(environment: string, id: string): readonly KeyUse[];
  noteUses(uses: readonly KeyUse[]): void;
}

/** Most instances kept apart for one key; what comes beyond counts for the key alone. */
const INSTANCES_MAX = 64;
const AGENT_MAX = 120;

/** A use that is not on disk: the next one only moves its time. */
type Fresh = Omit<KeyUse, "usedAt"> & { usedAt: number };

/** By key, then by what of it was used from where: one key's uses are found without looking at the others'. */
type Uses = Map<string, Map<string, Fresh>>;

export class UseRecord {
  readonly #store: UseStore;
  #fresh: Uses = new Map();
  /** Given to the store with the last flush, and perhaps not on disk yet: who looks now must not take a key for unused. */
  #given: Uses = new Map();

  constructor(store: UseStore) {
    this.#store = store;
  }

  /** A genuine use. */
  note({ environment, id }: KeyRecord, { generation }: KeySecret, usedAt: number): void {
    const ofKey = this.#of(environment, id);
    const name = String(generation);
    const held = ofKey.get(name);
    if (!held) ofKey.set(name, { environment, id, generation, address: "", agent: "", usedAt });
    else if (held.usedAt < usedAt) held.usedAt = usedAt;
  }

  /** The same with its place, for a key that rotates or may rotate itself. */
  notePlaced(key: KeyRecord, secret: KeySecret, usedAt: number, address: string, said: string): void {
    this.note(key, secret, usedAt);
    const { environment, id } = key;
    const { generation } = secret;
    const agent = said.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, AGENT_MAX);
    const ofKey = this.#of(environment, id);
    const name = `${generation}/${address}/${agent}`;
    // At most two of its secrets work, and each has one use without a place.
    if (!ofKey.has(name) && ofKey.size >= 2 * (INSTANCES_MAX + 1)) return;
    ofKey.set(name, { environment, id, generation, address, agent, usedAt });
  }

  #of(environment: string, id: string): Map<string, Fresh> {
    const name = `${environment}/${id}`;
    let ofKey = this.#fresh.get(name);
    if (!ofKey) this.#fresh.set(name, (ofKey = new Map()));
    return ofKey;
  }

  /** Everything known of the key's uses, the newest of each instance. */
  of(environment: string, id: string): readonly KeyUse[] {
    const key = `${environment}/${id}`;
    const all = new Map<string, KeyUse>();
    const inMemory = [this.#given, this.#fresh].flatMap((uses) => [...(uses.get(key)?.values() ?? [])]);
    for (const use of [...this.#store.keyUses(environment, id), ...inMemory]) {
      const name = `${use.generation}/${use.address}/${use.agent}`;
      if ((all.get(name)?.usedAt ?? 0) < use.usedAt) all.set(name, use);
    }
    return [...all.values()];
  }

  /** When each generation was last used. */
  lastUses(environment: string, id: string): ReadonlyMap<number, number> {
    const last = new Map<number, number>();
    for (const { generation, usedAt } of this.of(environment, id))
      last.set(generation, Math.max(usedAt, last.get(generation) ?? 0));
    return last;
  }

  /** Gives what is new to the store, every few seconds. */
  flush(): void {
    this.#given = this.#fresh;
    if (this.#fresh.size === 0) return;
    this.#fresh = new Map();
    this.#store.noteUses([...this.#given.values()].flatMap((ofKey) => [...ofKey.values()]));
  }
}
