/**
 * An access review: a population that is frozen once, a line for each of its members, and what reviewers decided about
 * them. The review is one record; its lines are many and are read page by page.
 */

export type SubjectKind = "key" | "assignment" | "service" | "admin_key";
export type ReviewScope = "all" | "privileged";
/** `starting`: its lines are still being written. `abandoned`: the program stopped meanwhile. */
export type ReviewState = "starting" | "open" | "closed" | "abandoned";

/** What gives a right in the environment, as it is written. Texts and lists only: its hash is that of its JSON. */
export interface PopulationEntry {
  /** `key:ID`, `assignment:ID`, `service:ID` or `admin_key:ID`. */
  readonly subject: string;
  readonly name: string;
  /** Id of the principal that has the right; `group:NAME` of an assignment to a group; null without one. */
  readonly owner: string | null;
  /** Who issued or assigned it, as recorded; null where the audit log does not say it (any more). */
  readonly issuer: string | null;
  readonly state: string;
  readonly roles: readonly string[];
  readonly allow: readonly string[];
  /** Model selectors; null where the roles have their own. */
  readonly models: readonly string[] | null;
  /** Of admin keys: permissions of administration. */
  readonly permissions: readonly string[];
  /** Of admin keys: `*`, or the names of environments. */
  readonly environments: readonly string[];
  /** Access conditions: networks, then factors. */
  readonly conditions: readonly string[];
}

export const risks = ["privileged", "unused", "wide", "ownerless", "never_rotated", "anomalous"] as const;
/** In the order of their weight. */
export type ReviewRisk = (typeof risks)[number];

/** What is known of a subject's use and life at a moment. Times in epoch ms. */
export interface ReviewEvidence {
  readonly createdAt: number | null;
  readonly expiresAt: number | null;
  readonly rotatedAt: number | null;
  readonly lastUsedAt: number | null;
  /** Admitted requests of the last 90 days, by the usage counters; null where they are not counted for such a subject. */
  readonly requests: number | null;
  readonly ownerState: "active" | "disabled" | "gone" | "none";
  /** Alerts of the last 90 days. */
  readonly anomalies: number;
  /** What it opens, such as `infer:chat on llama3.2`; at most 50. */
  readonly opens: readonly string[];
}

export type ReviewDecision = "keep" | "revoke" | "narrow";
export type ReviewOutcome = "kept" | "revoked" | "narrowed" | "suspended" | "protected" | "gone" | "restored";

/** Someone was shown a line's evidence. */
export interface LineOpening {
  readonly by: string;
  /** Epoch ms: when it was last shown. */
  readonly at: number;
  /** SHA-256 of what was shown. */
  readonly digest: string;
  /** Hash of the subject as it was shown; null = it was gone. */
  readonly subjectHash: string | null;
  /** The line's version that was shown. */
  readonly version: number;
}

export interface LineDecision {
  readonly decision: ReviewDecision;
  readonly by: string;
  readonly reason: string;
  readonly at: number;
  /** How long the evidence had been shown; null = it was never opened by them. */
  readonly shownMs: number | null;
  readonly digest: string | null;
  /** The subject was no longer as it was frozen. */
  readonly wasChanged: boolean;
}

export interface LineOutcome {
  readonly what: ReviewOutcome;
  readonly at: number;
  readonly says: string;
  /** What was removed and can be put back, as JSON; null where nothing was. */
  readonly undo: string | null;
}

export interface Delegation {
  readonly from: string | null;
  readonly to: string;
  readonly by: string;
  readonly at: number;
}

export type LineStatus = "open" | "decided" | "ended";

export interface ReviewLine {
  readonly review: string;
  /** 1, 2, 3…: the riskiest first. */
  readonly line: number;
  /** Grows with each write: a decision on an older one is rejected. */
  readonly version: number;
  /** `ended`: no one decided before the end of the review. */
  readonly status: LineStatus;
  /** The actor who has to decide; null = any independent reviewer. */
  readonly assignedTo: string | null;
  readonly entry: PopulationEntry;
  readonly entryHash: string;
  readonly evidence: ReviewEvidence;
  readonly risks: readonly ReviewRisk[];
  readonly openings: readonly LineOpening[];
  readonly decision: LineDecision | null;
  readonly outcome: LineOutcome | null;
  readonly delegations: readonly Delegation[];
}

/** Who decides. An admin key counts as the person who has its name. */
export interface Reviewer {
  /** As recorded: `key:<id>` of an admin key, or `os:<user>`. */
  readonly actor: string;
  readonly name: string;
}

/** How one reviewer decided, at the end. */
export interface ReviewerFigures {
  readonly actor: string;
  readonly decided: number;
  readonly kept: number;
  /** Lines whose evidence they had opened before they decided. */
  readonly opened: number;
  /** Of the opened ones; null without any. */
  readonly medianShownMs: number | null;
  readonly canariesKept: number;
  readonly canariesSeen: number;
  /** Signs of decisions without a look; empty = none. */
  readonly signs: readonly string[];
}

export interface ReviewResult {
  readonly counts: Readonly<Record<string, number>>;
  readonly figures: readonly ReviewerFigures[];
}

export interface ReviewRecord {
  readonly id: string;
  readonly environment: string;
  readonly scope: ReviewScope;
  readonly state: ReviewState;
  readonly startedAt: number;
  readonly startedBy: string;
  readonly dueAt: number;
  /** Of policy and keys: the population is what there was at exactly this state. */
  readonly epoch: number;
  readonly entries: number;
  readonly lines: number;
  readonly populationHash: string;
  readonly reviewers: readonly Reviewer[];
  /** Which schedule started it; null = a person did. */
  readonly schedule: string | null;
  /** Days before the end for which a reminder was recorded. */
  readonly reminded: readonly number[];
  /** Lines that stand for no one's right, and the salt of their commitment: shown when the review is closed. */
  readonly canaries: readonly number[];
  readonly canarySalt: string;
  /** Assignments of the policy file that the review took away, as `withheldText()` writes them. */
  readonly withheld: readonly string[];
  readonly closedAt: number | null;
  readonly closedBy: string | null;
  readonly result: ReviewResult | null;
}

export type ReviewOperation =
  | { readonly op: "review.put"; readonly review: ReviewRecord }
  /** New lines. */
  | { readonly op: "review.freeze"; readonly lines: readonly ReviewLine[] }
  /** Rejected with `conflict` unless the stored line has the version before this one. */
  | { readonly op: "review.line"; readonly line: ReviewLine };

export type ReviewImage =
  | { readonly of: "review"; readonly id: string; readonly now: ReviewRecord }
  | { readonly of: "review_line"; readonly id: string };

/** Which lines of a review: in the order of their numbers. */
export interface LineFilter {
  readonly review: string;
  readonly after?: number;
  readonly status?: LineStatus;
  readonly assignedTo?: string;
  readonly limit: number;
}

/** Lines by who has to decide them and how far they are. */
export interface LineCount {
  readonly assignedTo: string | null;
  readonly status: LineStatus;
  readonly lines: number;
}
