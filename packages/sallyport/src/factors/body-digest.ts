/** Whether the body that came is the one whose digest was signed (RFC 9530): every digest that was sent has to fit. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Hash } from "node:crypto";
import type { ContentDigest } from "@sallyport/protocol";

export function digestMatches(digest: ContentDigest, body: Uint8Array): boolean {
  const running = new RunningDigest(digest);
  running.update(body);
  return running.matches();
}

/** The same for a body that passes by: the pieces in order, then `matches()` once. */
export class RunningDigest {
  readonly #expected: readonly { hash: Hash; digest: string }[];

  constructor({ sha256, sha512 }: ContentDigest) {
    this.#expected = [
      ...(sha256 === null ? [] : [{ hash: createHash("sha256"), digest: sha256 }]),
      ...(sha512 === null ? [] : [{ hash: createHash("sha512"), digest: sha512 }]),
    ];
  }

  update(chunk: Uint8Array): void {
    for (const { hash } of this.#expected) hash.update(chunk);
  }

  matches(): boolean {
    // Every one is finished, so that the object cannot be asked twice.
    const verdicts = this.#expected.map(({ hash, digest }) => {
      const [found, expected] = [hash.digest(), Buffer.from(digest, "base64")];
      return found.length === expected.length && timingSafeEqual(found, expected);
    });
    return verdicts.length > 0 && verdicts.every(Boolean);
  }
}
