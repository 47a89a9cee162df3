/** Public keys of Ollama clients and the keys they stand for, all in memory: an unknown one is answered without I/O. */
import type { ImageOf, View } from "../changes/image.ts";

export interface KeyPlace {
  readonly environment: string;
  readonly id: string;
}

type EachSigner = (visit: (fingerprint: string, environment: string, id: string) => void) => void;

export class OllamaSignerIndex implements View<"key"> {
  readonly name = "ollama_signers";
  readonly hears = ["key"] as const;
  readonly #each: EachSigner;
  readonly #places = new Map<string, KeyPlace>();
  /** By `environment/id`, for keys that have any. */
  readonly #fingerprints = new Map<string, readonly string[]>();

  constructor(each: EachSigner) {
    this.#each = each;
    this.rebuild();
  }

  find(fingerprint: string): KeyPlace | undefined {
    return this.#places.get(fingerprint);
  }

  apply(images: readonly ImageOf<"key">[]): void {
    for (const { environment, id, now } of images) {
      const name = `${environment}/${id}`;
      for (const fingerprint of this.#fingerprints.get(name) ?? []) {
        const place = this.#places.get(fingerprint);
        // It may stand for another key by now.
        if (place?.environment === environment && place.id === id) this.#places.delete(fingerprint);
      }
      this.#fingerprints.delete(name);
      // A damaged key opens nothing, and neither do its signers.
      if (!now || now.state === "revoked") continue;
      for (const signer of now.signers) if (signer.use === "ollama") this.#add(signer.id, { environment, id });
    }
  }

  rebuild(): void {
    this.#places.clear();
    this.#fingerprints.clear();
    this.#each((fingerprint, environment, id) => this.#add(fingerprint, { environment, id }));
  }

  #add(fingerprint: string, place: KeyPlace): void {
    const name = `${place.environment}/${place.id}`;
    this.#places.set(fingerprint, place);
    this.#fingerprints.set(name, [...(this.#fingerprints.get(name) ?? []), fingerprint]);
  }
}
