/**
 * The texts behind the hashes in the rows, to describe what is usual. Bounded: a text that does not fit is shown as its
 * number.
 */
import { hashOf } from "./hash.ts";

const NAMES_MAX = 50_000;

export class Names {
  readonly #hashes = new Map<string, number>();
  readonly #texts = new Map<number, string>();

  hash(text: string): number {
    const known = this.#hashes.get(text);
    if (known !== undefined) return known;
    const hash = hashOf(text);
    if (this.#hashes.size >= NAMES_MAX) {
      // Half of them are forgotten; what is in use comes back with its next use.
      let left = NAMES_MAX / 2;
      for (const [old, number] of this.#hashes) {
        if (left-- <= 0) break;
        this.#hashes.delete(old);
        this.#texts.delete(number);
      }
    }
    this.#hashes.set(text, hash);
    this.#texts.set(hash, text);
    return hash;
  }

  keep(): readonly string[] {
    return [...this.#hashes.keys()];
  }

  text(hash: number): string {
    return this.#texts.get(hash) ?? `#${hash.toString(16)}`;
  }
}
