/**
 * Keeps a value for each id until a time, and never a moment shorter: a full memory rejects, it does not forget. Its
 * time never goes back either: what expired because a clock jumped ahead stays expired after the clock was corrected.
 */
import { Shares } from "./shares.ts";
import type { ShareRules } from "./shares.ts";

interface Entry<V> {
  readonly owner: string;
  readonly id: string;
  readonly value: V;
}

export class KeptUntil<V> {
  readonly #shares: Shares<"owner">;
  readonly #entries = new Map<string, Entry<V>>();
  /** Entries by the second they end in, so that letting go costs what was put in. */
  readonly #endings = new Map<number, Entry<V>[]>();
  #now = -Infinity;

  constructor(shares: ShareRules<"owner">) {
    this.#shares = new Shares(shares);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Moves the time to `now` (epoch ms) and removes what has ended. Returns the latest time it was ever given. */
  advance(now: number): number {
    if (now <= this.#now) return this.#now;
    const isNewSecond = Math.floor(now / 1000) !== Math.floor(this.#now / 1000);
    this.#now = now;
    if (isNewSecond) this.#letGo(now);
    return now;
  }

  get(owner: string, id: string): V | undefined {
    return this.#entries.get(`${owner}\n${id}`)?.value;
  }

  /** Keeps a new value until `until`, epoch ms. */
  put(owner: string, id: string, value: V, until: number): "kept" | "owner_full" | "full" {
    const full = this.#shares.take({ owner });
    if (full !== undefined) return full === "owner" ? "owner_full" : "full";
    const key = `${owner}\n${id}`;
    const entry = { owner, id: key, value };
    this.#entries.set(key, entry);
    const second = Math.floor(until / 1000);
    const ending = this.#endings.get(second);
    if (ending) ending.push(entry);
    else this.#endings.set(second, [entry]);
    return "kept";
  }

  #letGo(now: number): void {
    for (const [second, entries] of this.#endings) {
      // The whole second must be over: it holds entries that end at its last moment.
      if ((second + 1) * 1000 > now) continue;
      this.#endings.delete(second);
      for (const entry of entries) {
        this.#entries.delete(entry.id);
        this.#shares.give(entry);
      }
    }
  }
}
