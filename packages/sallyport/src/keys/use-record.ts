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

export class UseRecord {
  readonly #store: UseStore;
  #fresh = new Map<string, Fresh>();
  readonly #instances = new Map<string, number>();

  constructor(store: UseStore) {
    this.#store = store;
  }

  /** A genuine use. */
  note({ environment, id }: KeyRecord, { generation }: KeySecret, usedAt: number): void {
    const name = `${environment}/${id}/${generation}`;
    const held = this.#fresh.get(name);
    if (!held) this.#fresh.set(name, { environment, id, generation, address: "", agent: "", usedAt });
    else if (held.usedAt < usedAt) held.usedAt = usedAt;
  }

  /** The same with its place, for a key that rotates or may rotate itself. */
  notePlaced(key: KeyRecord, secret: KeySecret, usedAt: number, address: string, agent: string): void {
    this.note(key, secret, usedAt);
    const { environment, id } = key;
    const { generation } = secret;
    this.#noteInstance(`${environment}/${id}/${generation}`, { environment, id, generation, address, agent, usedAt });
  }

  #noteInstance(name: string, use: KeyUse): void {
    const agent = use.agent.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, AGENT_MAX);
    const instance = `${name}/${use.address}/${agent}`;
    if (!this.#fresh.has(instance)) {
      const count = this.#instances.get(name) ?? 0;
      if (count >= INSTANCES_MAX) return;
      this.#instances.set(name, count + 1);
    }
    this.#fresh.set(instance, { ...use, agent });
  }

  /** Everything known of the key's uses, the newest of each instance. */
  of(environment: string, id: string): readonly KeyUse[] {
    const all = new Map<string, KeyUse>();
    const fresh = [...this.#fresh.values()].filter((use) => use.environment === environment && use.id === id);
    for (const use of [...this.#store.keyUses(environment, id), ...fresh]) {
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

  /** Gives what is new to the store. */
  flush(): void {
    if (this.#fresh.size === 0) return;
    this.#store.noteUses([...this.#fresh.values()]);
    this.#fresh = new Map();
    this.#instances.clear();
  }
}
