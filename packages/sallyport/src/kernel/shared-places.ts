/**
 * Places that strangers take, by the network they come from. No one is ever turned away: a network that has used its
 * share makes room among its own places, and if all are taken, the network with the most gives up its oldest. A flood
 * only displaces itself.
 */
import { Shares } from "./shares.ts";
import type { ShareRules } from "./shares.ts";

interface Place<V> {
  readonly network: string;
  readonly value: V;
}

export class SharedPlaces<V> {
  readonly #shares: Shares<"network">;
  readonly #places = new Map<string, Place<V>>();
  /** Names of each network's places, the oldest first. */
  readonly #byNetwork = new Map<string, Set<string>>();

  constructor(rules: ShareRules<"network">) {
    this.#shares = new Shares(rules);
  }

  get size(): number {
    return this.#places.size;
  }

  get(name: string): V | undefined {
    return this.#places.get(name)?.value;
  }

  /** Takes a place under a new name. Answers those whose places were given away for it. */
  put(name: string, network: string, value: V): V[] {
    const gone: V[] = [];
    for (let full = this.#shares.take({ network }); full !== undefined; full = this.#shares.take({ network })) {
      const from = full === "network" ? network : this.#shares.largest("network");
      const oldest = from === undefined ? undefined : this.#byNetwork.get(from)?.values().next().value;
      if (oldest === undefined) throw new Error("places are taken without an owner");
      gone.push(this.delete(oldest)!);
    }
    this.#places.set(name, { network, value });
    const names = this.#byNetwork.get(network);
    if (names) names.add(name);
    else this.#byNetwork.set(network, new Set([name]));
    return gone;
  }

  delete(name: string): V | undefined {
    const place = this.#places.get(name);
    if (!place) return undefined;
    this.#places.delete(name);
    const names = this.#byNetwork.get(place.network)!;
    names.delete(name);
    if (names.size === 0) this.#byNetwork.delete(place.network);
    this.#shares.give(place);
    return place.value;
  }

  /** The oldest first. */
  *entries(): Generator<[string, V]> {
    for (const [name, { value }] of this.#places) yield [name, value];
  }
}
