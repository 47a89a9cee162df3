/** Public keys of Ollama clients and the keys they stand for, all in memory: an unknown one is answered without I/O. */
import type { KeySigner } from "./key.ts";

export interface KeyPlace {
  readonly environment: string;
  readonly id: string;
}

export class OllamaSignerIndex {
  readonly #places = new Map<string, KeyPlace>();

  constructor(each: (visit: (fingerprint: string, environment: string, id: string) => void) => void) {
    each((fingerprint, environment, id) => this.#places.set(fingerprint, { environment, id }));
  }

  find(fingerprint: string): KeyPlace | undefined {
    return this.#places.get(fingerprint);
  }

  /** The key's public keys are these from now on. Call after each committed change of them. */
  changed(environment: string, id: string, signers: readonly KeySigner[]): void {
    for (const [fingerprint, place] of this.#places)
      if (place.environment === environment && place.id === id) this.#places.delete(fingerprint);
    for (const signer of signers) if (signer.use === "ollama") this.#places.set(signer.id, { environment, id });
  }
}
