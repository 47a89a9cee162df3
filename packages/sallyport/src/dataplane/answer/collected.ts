/** Short answers that are rewritten before anyone sees them: listings, model descriptions, errors. Collected within a bound. */
import type { Answer, AnswerEnd } from "./answer.ts";
import { AnswerTooLarge } from "./answer.ts";

export const COLLECTED_BYTES_MAX = 8 * 1024 * 1024;

/** Turns the whole text into what the caller may see; undefined when it is not what such an answer must be. */
export type Rewrite = (text: string) => string | undefined;

export class CollectedAnswer implements Answer {
  readonly isCollected = true;
  readonly hasMark = false;
  readonly #rewrite: Rewrite;
  readonly #chunks: Buffer[] = [];
  #size = 0;

  constructor(rewrite: Rewrite) {
    this.#rewrite = rewrite;
  }

  push(chunk: Buffer): null {
    this.#size += chunk.length;
    if (this.#size > COLLECTED_BYTES_MAX) throw new AnswerTooLarge();
    this.#chunks.push(chunk);
    return null;
  }

  end(): AnswerEnd {
    const rewritten = this.#rewrite(Buffer.concat(this.#chunks, this.#size).toString("utf8"));
    return {
      last: rewritten === undefined ? null : Buffer.from(rewritten, "utf8"),
      isWhole: rewritten !== undefined,
      hasError: false,
      usage: null,
    };
  }
}
