/** Reviews and lines as they are stored, for tests that need one of some state. */
import type { ReviewLine, ReviewRecord } from "./program-under-test.ts";

export const REVIEW_ID = "rev_0123456789ab";

export function storedReview(more: Partial<ReviewRecord> = {}): ReviewRecord {
  return {
    id: REVIEW_ID,
    environment: "dev",
    scope: "all",
    state: "open",
    startedAt: 1,
    startedBy: "os:root",
    dueAt: 2,
    epoch: 1,
    entries: 1,
    lines: 1,
    populationHash: "h",
    reviewers: [],
    schedule: null,
    reminded: [],
    canaries: [],
    canarySalt: "s",
    withheld: [],
    closedAt: null,
    closedBy: null,
    result: null,
    ...more,
  };
}

export function storedLine(more: Partial<ReviewLine> = {}, subject = "key:0123456789ab"): ReviewLine {
  return {
    review: REVIEW_ID,
    line: 1,
    version: 1,
    status: "open",
    assignedTo: null,
    entry: { ...NOTHING, subject, name: "n", owner: null, issuer: "os:root", state: "active", models: null },
    entryHash: "h",
    evidence: { ...NEVER, requests: 0, ownerState: "none", anomalies: 0, opens: [] },
    risks: ["unused"],
    openings: [],
    decision: null,
    outcome: null,
    delegations: [],
    ...more,
  };
}

const NOTHING = { roles: [], allow: [], permissions: [], environments: [], conditions: [] };
const NEVER = { createdAt: 1, expiresAt: null, rotatedAt: null, lastUsedAt: null };
