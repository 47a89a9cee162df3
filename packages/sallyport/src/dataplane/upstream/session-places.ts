/**
 * Which replica answered a key's last request of a model: its cache of the conversation's beginning is there. A hint, so
 * what is forgotten costs time and nothing else.
 */
import type { Upstream } from "./upstream.ts";

const KEPT_MAX = 8_192;

export class SessionPlaces {
  readonly #replicas = new Map<string, Upstream>();

  of(key: string): Upstream | undefined {
    return this.#replicas.get(key);
  }

  note(key: string, replica: Upstream): void {
    if (this.#replicas.get(key) === replica) return;
    // The one that was noted longest ago is forgotten first.
    this.#replicas.delete(key);
    if (this.#replicas.size >= KEPT_MAX) this.#replicas.delete(this.#replicas.keys().next().value!);
    this.#replicas.set(key, replica);
  }

  clear(): void {
    this.#replicas.clear();
  }
}
