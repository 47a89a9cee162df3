/** A *no*, in its two forms: a value on the way of a request, an exception in administration and the command line. */
import type { Factor } from "./factor.ts";
import { problems } from "./problem.ts";
import type { ProblemCode } from "./problem.ts";

/** What a denial may say in addition to its code. */
export interface RefusalFacts {
  /** Public, written after the title. */
  readonly detail?: string;
  /** Seconds after which a retry makes sense; becomes `retry-after`. */
  readonly retryAfterSeconds?: number;
  /** The place in the queue, and how long the wait for its turn is expected to be; absent if nothing was measured. */
  readonly queue?: { readonly position: number; readonly expectedWaitSeconds?: number };
  /** The factor that is missing, so that the response can say how to provide it. */
  readonly factor?: Factor;
  /** What was really found, for counting: never told to the caller. */
  readonly signal?: CredentialSignal;
}

/**
 * A denial as a value: what `decide()` and the stages return. It is recognized by its class, not by a member that
 * another object may have, too: only `refuse()` makes one.
 */
export class Refusal implements RefusalFacts {
  declare private readonly isMadeByRefuse: true;
  readonly code: ProblemCode;
  declare readonly detail?: string;
  declare readonly retryAfterSeconds?: number;
  declare readonly queue?: NonNullable<RefusalFacts["queue"]>;
  declare readonly factor?: Factor;
  declare readonly signal?: CredentialSignal;

  constructor(code: ProblemCode, facts: RefusalFacts) {
    Object.assign(this, facts);
    this.code = code;
  }

  /** The same *no*, saying more. */
  with(facts: RefusalFacts): Refusal {
    return Object.assign(new Refusal(this.code, this), facts);
  }
}

/**
 * Why a credential is invalid: incomplete or not ours by its checksum, of an unknown id, or of a key whose secret it
 * does not have. Three different signals for monitoring; a genuine credential that has expired is not among them.
 */
export type CredentialSignal = "malformed" | "unknown_id" | "wrong_secret";

export function refuse(code: ProblemCode, detail?: string): Refusal {
  return new Refusal(code, detail === undefined ? {} : { detail });
}

export function isRefusal(value: unknown): value is Refusal {
  return value instanceof Refusal;
}

/** The same as an exception, for cold paths (administration, CLI). `mistakes` lists every place that is wrong. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly detail: string | undefined;
  readonly mistakes: readonly string[];

  constructor(code: ProblemCode, detail?: string, mistakes: readonly string[] = []) {
    super(detail ?? problems[code].title);
    this.name = "Problem";
    this.code = code;
    this.detail = detail;
    this.mistakes = mistakes;
  }
}
