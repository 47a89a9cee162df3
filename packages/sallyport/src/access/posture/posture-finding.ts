/** What a finding is, and what findings about policy and keys are computed from. */
import { findingCodes } from "@sallyport/protocol";
import type { FindingCode, Severity } from "@sallyport/protocol";
import type { KeyRecord } from "../../keys/key.ts";
import type { UseSurvey } from "../permission-uses.ts";
import type { Snapshot } from "../snapshot.ts";

export interface PostureFinding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** How `doctor` shows it. */
  readonly state: "ok" | "note" | "wrong";
  /** `system` for what belongs to none. */
  readonly environment: string;
  /** What it is about, as `kind:name`. Together with code and environment it is the finding's identity. */
  readonly subject: string;
  readonly says: string;
  /** Facts that show it, one sentence each. */
  readonly evidence: readonly string[];
  /** A command, where one command remedies it. Empty where there is nothing to do. */
  readonly remedy: string;
  /** Name of the principal that answers for the subject; null without one. */
  readonly owner: string | null;
  /** Epoch ms; null where that is not known. */
  readonly since: number | null;
}

type Found = Pick<PostureFinding, "environment" | "subject" | "says" | "remedy"> & Partial<PostureFinding>;

/** With the table's severity, unless the finding says another. */
export function findingOf(code: FindingCode, found: Found): PostureFinding {
  const { severity } = findingCodes[code];
  return { code, severity, state: "note", evidence: [], owner: null, since: null, ...found };
}

/** What of a key is judged. */
export type JudgedKey = KeyRecord;

/** What is known of a key's use. */
export interface KeyUseFacts {
  /** When each generation of its secrets was last used, epoch ms. */
  readonly lastUses: ReadonlyMap<number, number>;
  /** Addresses that are kept of its uses. */
  readonly addresses: readonly string[];
}

export interface PolicyFacts {
  readonly now: number;
  readonly snapshot: Snapshot;
  /** Looked at once, one after another: a hundred thousand of them are never held. */
  readonly keys: AsyncIterable<JudgedKey> | Iterable<JudgedKey>;
  /** Null where what is stored of the key's uses is damaged: nothing is said about them. */
  readonly usesOf: (key: JudgedKey) => KeyUseFacts | null;
  readonly survey: UseSurvey;
  /** Environments that the caller may know about. */
  readonly isShown: (environment: string) => boolean;
}

/** Named so that everybody takes it for production: `prod`, `production`, `prod2`, `live`. */
export function isProduction(environment: string): boolean {
  return /^(?:prod|live)/.test(environment);
}

/** Some of the environments are production, and some are not. */
export function mixesProduction(environments: readonly string[]): boolean {
  return environments.some(isProduction) && !environments.every(isProduction);
}
