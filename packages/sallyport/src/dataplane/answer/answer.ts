/**
 * How an upstream's answer is read on its way to the caller: passed through while usage and the terminal mark are looked
 * for, or, for short answers that must be rewritten, collected within a bound and passed when whole.
 */
import type { ProblemCode } from "@sallyport/protocol";
import type { Usage } from "./usage.ts";

export interface AnswerEnd {
  /** Bytes still to send: what was collected, or held back as part of a line. */
  readonly last: Buffer | null;
  /** The dialect's terminal mark was seen: the answer is whole. */
  readonly isWhole: boolean;
  /** The upstream put an error into its stream. */
  readonly hasError: boolean;
  /** What the upstream reported; null where it reported nothing. */
  readonly usage: Usage | null;
}

export interface Answer {
  /** Nothing of it is shown before it is whole (it is rewritten, or it is an error). */
  readonly isCollected: boolean;
  /** The dialect ends a whole answer with a mark: without it the answer is not whole. */
  readonly hasMark: boolean;
  /** Bytes to send now; null for none. Throws `AnswerRejected` where it must not go on. */
  push(chunk: Buffer): Buffer | null;
  /** Throws as `push` does. */
  end(): AnswerEnd;
}

/** The upstream's answer must not be shown: it is broken off with this code. */
export class AnswerRejected extends Error {
  readonly code: ProblemCode;

  constructor(code: ProblemCode, reason: string) {
    super(reason);
    this.name = "AnswerRejected";
    this.code = code;
  }
}

export class AnswerTooLarge extends AnswerRejected {
  constructor() {
    super("upstream_broken", "the upstream's answer passes its bound");
    this.name = "AnswerTooLarge";
  }
}
