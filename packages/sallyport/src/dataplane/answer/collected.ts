/** Short answers that are rewritten before anyone sees them: listings, model descriptions, errors. Collected within a bound. */
import type { Answer, AnswerEnd } from "./answer.ts";
import { AnswerTooLarge } from "./answer.ts";

const COLLECTED_BYTES_MAX = 8 * 1024 * 1024;

/** Turns the whole text into what the caller may see; undefined when it is not what such an answer must be. */
export type Rewrite = (text: string) => string | undefined;

/** An answer of which nothing is shown before it is whole. */
export abstract class Collected implements Answer {
  readonly isCollected = true;
  readonly hasMark = false;
  readonly #chunks: Buffer[] = [];
  #size = 0;

  push(chunk: Buffer): null {
    this.#size += chunk.length;
    if (this.#size > COLLECTED_BYTES_MAX) throw new AnswerTooLarge();
    this.#chunks.push(chunk);
    return null;
  }

  end(): AnswerEnd {
    return this.endWith(Buffer.concat(this.#chunks, this.#size));
  }

  protected abstract endWith(whole: Buffer): AnswerEnd;
}

export class CollectedAnswer extends Collected {
  readonly #rewrite: Rewrite;

  constructor(rewrite: Rewrite) {
    super();
    this.#rewrite = rewrite;
  }

  protected endWith(whole: Buffer): AnswerEnd {
    const rewritten = this.#rewrite(whole.toString("utf8"));
    return {
      last: rewritten === undefined ? null : Buffer.from(rewritten, "utf8"),
      isWhole: rewritten !== undefined,
      hasError: false,
      usage: null,
    };
  }
}
