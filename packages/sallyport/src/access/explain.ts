/** `explain`: the same decision with its reasons, and what would change it. Never on the way of a request. */
import type { ProblemCode } from "@sallyport/protocol";
import { problems } from "@sallyport/protocol";

export interface Explanation {
  readonly allowed: boolean;
  /** `allowed`, or the problem code the caller would get. */
  readonly code: ProblemCode | "allowed";
  /** The rules that were asked, in order; the last one decided. */
  readonly because: readonly string[];
  /** What would turn a no into a yes; empty for a yes. */
  readonly remedy: readonly string[];
}

/** What `explain` asks about. Without a `model` the request is taken to name none. */
export interface ExplainQuestion {
  readonly keyId: string;
  readonly method: string;
  readonly path: string;
  readonly model?: string;
  /**
   * What the request provides in addition to the key; without any of the three, access conditions are listed and
   * assumed to be met.
   */
  readonly address?: string;
  readonly isSigned?: boolean;
  readonly isIdentified?: boolean;
}

/** Port: the data plane knows how requests are understood; administration only asks. Undefined for an unknown key id. */
export type Explain = (question: ExplainQuestion) => Explanation | undefined;

/** What `explain` asks about a token's life. */
export interface ExplainTokenQuestion {
  readonly keyId: string;
  /** Null = whatever the key has. */
  readonly permissions: readonly string[] | null;
  readonly askedMs: number | null;
  readonly isBound: boolean;
  readonly isIdentified: boolean;
}

/** Port: how long such a token would live, and the sum. Undefined for an unknown key id. */
export type ExplainToken = (
  question: ExplainTokenQuestion,
) => { readonly seconds: number; readonly because: readonly string[] } | undefined;

export function explained(code: ProblemCode | "allowed", because: readonly string[]): Explanation {
  return { allowed: code === "allowed", code, because, remedy: code === "allowed" ? [] : [problems[code].remedy] };
}
