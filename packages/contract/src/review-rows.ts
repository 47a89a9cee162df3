/** Access reviews: started, decided line by line, delegated, closed, exported for a report. */
import { z } from "zod";
import { reviewDecisions } from "@sallyport/protocol";
import { exportedLine, fullLineView, lineView, reviewIdForm, reviewView } from "./review-views.ts";
import type { ContractRow } from "./row.ts";
import { duration, environmentName, nothing, queryNumber, time } from "./scalars.ts";

const LINES_MAX = 1_000_000;
const reviewParams = z.strictObject({ id: reviewIdForm });
const lineParams = reviewParams.extend({ line: queryNumber(1, LINES_MAX) });
const lineNumber = z.int().min(1).max(LINES_MAX);
/** Name or id of an admin key, or `os:USER`. */
const reviewer = z.string().min(1).max(128);
const reason = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[^\p{Cc}\s][^\p{Cc}]*$/u, "is blank, begins with a blank or has control characters");
const digest = z.string().regex(/^[0-9a-f]{64}$/, "is not a SHA-256 in hex");

export const reviewRows = {
  "reviews.start": {
    method: "POST",
    path: "/v1/reviews",
    params: nothing,
    query: nothing,
    body: z.strictObject({
      environment: environmentName,
      /** From 1d to 90d. */
      due: duration.default("14d"),
      /** `privileged`: admin keys, and what may change models, servers or bounds. */
      scope: z.enum(["all", "privileged"]).default("all"),
      /** Lines are distributed among them; without any, each user who may decide may decide on any line. */
      reviewers: z.array(reviewer).max(50).default([]),
    }),
    answer: z.object({ reviewId: z.string(), lines: z.int(), populationHash: z.string(), due: time }),
    status: 201,
    permission: "reviews:manage",
    caller: "any",
    events: ["review.frozen", "review.started"],
    says: "starts an access review: freezes everything that gives a right in the environment, with its hash in the audit log",
    example: { body: { environment: "dev", due: "14d" } },
  },
  "reviews.list": {
    method: "GET",
    path: "/v1/reviews",
    params: nothing,
    query: z.strictObject({
      environment: environmentName.optional(),
      /** `next` of the page before. */
      after: reviewIdForm.optional(),
      limit: queryNumber(1, 500).optional(),
    }),
    body: null,
    answer: z.object({ reviews: z.array(reviewView), next: z.string().nullable() }),
    status: 200,
    permission: "reviews:read",
    caller: "any",
    events: [],
    says: "lists access reviews of the environments that the caller administers, newest first",
  },
  "reviews.show": {
    method: "GET",
    path: "/v1/reviews/:id",
    params: reviewParams,
    query: nothing,
    body: null,
    answer: reviewView,
    status: 200,
    permission: "reviews:read",
    caller: "any",
    events: [],
    says: "returns an access review, and how far its reviewers are",
  },
  "reviews.lines": {
    method: "GET",
    path: "/v1/reviews/:id/lines",
    params: reviewParams,
    query: z.strictObject({
      status: z.enum(["open", "decided", "ended"]).optional(),
      /** The last line of the page before. */
      after: queryNumber(0, LINES_MAX).optional(),
      limit: queryNumber(1, 500).optional(),
    }),
    body: null,
    answer: z.object({ lines: z.array(lineView), next: z.int().nullable() }),
    status: 200,
    permission: "reviews:read",
    caller: "any",
    events: [],
    says: "lists the lines of an access review, riskiest first, with what happened since the freeze",
  },
  "reviews.open": {
    method: "POST",
    path: "/v1/reviews/:id/lines/:line/open",
    params: lineParams,
    query: nothing,
    body: null,
    answer: fullLineView,
    status: 200,
    permission: "reviews:decide",
    caller: "any",
    events: ["review.opened"],
    says: "returns a line with its evidence as it was frozen and as it is now, and records that the caller was shown it",
    example: { params: { id: "rev_0123456789ab", line: "1" } },
  },
  "reviews.decide": {
    method: "POST",
    path: "/v1/reviews/:id/lines/:line/decide",
    params: lineParams,
    query: nothing,
    body: z.strictObject({
      decision: z.enum(reviewDecisions),
      reason,
      /** The line's version the caller has seen; default: the one they were shown. */
      version: z.int().min(1).optional(),
    }),
    answer: z.object({
      line: z.int(),
      version: z.int(),
      decision: z.enum(reviewDecisions),
      /** What was done, at once. */
      outcome: z.string(),
      says: z.string(),
      /** Number of the record of the audit log that shows it. */
      receipt: z.int(),
    }),
    status: 200,
    permission: "reviews:decide",
    caller: "any",
    events: [
      "review.decided",
      "key.revoked",
      "admin_key.revoked",
      "assignment.removed",
      "assignment.created",
      "principal.disabled",
      "person.deactivated",
    ],
    says: "decides on a line, with a reason; what is revoked or narrowed changes at once, in the same transaction",
    example: {
      params: { id: "rev_0123456789ab", line: "1" },
      body: { decision: "revoke", reason: "the project ended in May" },
    },
  },
  "reviews.delegate": {
    method: "POST",
    path: "/v1/reviews/:id/delegate",
    params: reviewParams,
    query: nothing,
    body: z.strictObject({ lines: z.array(lineNumber).min(1).max(1_000), to: reviewer }),
    answer: z.object({ to: z.string(), lines: z.array(z.int()) }),
    status: 200,
    permission: "reviews:decide",
    caller: "any",
    events: ["review.delegated"],
    says: "gives open lines to another reviewer: one's own, or with reviews:manage any",
    example: { params: { id: "rev_0123456789ab" }, body: { lines: [2], to: "os:grace" } },
  },
  "reviews.restore": {
    method: "POST",
    path: "/v1/reviews/:id/lines/:line/restore",
    params: lineParams,
    query: nothing,
    body: z.strictObject({ reason }),
    answer: z.object({ line: z.int(), subject: z.string(), says: z.string(), receipt: z.int() }),
    status: 200,
    permission: "reviews:manage",
    caller: "any",
    events: ["review.restored", "key.resumed", "assignment.created", "principal.enabled"],
    says: "restores what a review suspended because no one had decided, within the caller's delegation scope",
    example: { params: { id: "rev_0123456789ab", line: "2" }, body: { reason: "still used by the nightly job" } },
  },
  "reviews.close": {
    method: "POST",
    path: "/v1/reviews/:id/close",
    params: reviewParams,
    query: nothing,
    body: null,
    answer: reviewView,
    status: 200,
    permission: "reviews:manage",
    caller: "any",
    events: ["review.ended", "review.closed", "key.suspended", "assignment.removed", "principal.disabled"],
    says: "closes a review whose lines are all decided, or whose end has come: what no one decided on is suspended",
  },
  "reviews.export": {
    method: "GET",
    path: "/v1/reviews/:id/export",
    params: reviewParams,
    query: z.strictObject({
      after: queryNumber(0, LINES_MAX).optional(),
      limit: queryNumber(1, 500).optional(),
    }),
    body: null,
    answer: z.object({
      review: reviewView,
      /** Of the canary lines; with their numbers it gives the commitment that was recorded at the start. */
      canarySalt: z.string(),
      lines: z.array(exportedLine),
      next: z.int().nullable(),
    }),
    status: 200,
    permission: "reviews:read",
    caller: "any",
    events: [],
    says: "returns a closed review with everything its report is made of, page by page",
  },
  "reviews.records": {
    method: "GET",
    path: "/v1/reviews/:id/records",
    params: reviewParams,
    query: z.strictObject({ after: queryNumber(0, Number.MAX_SAFE_INTEGER).optional() }),
    body: null,
    answer: z.object({
      /** In their order. */
      records: z.array(z.object({ seq: z.int(), type: z.string(), line: z.int().nullable() })),
      next: z.int().nullable(),
    }),
    status: 200,
    permission: "reviews:read",
    caller: "any",
    events: [],
    says: "returns the numbers of the audit log's records about a review, page by page",
  },
  "reviews.report": {
    method: "POST",
    path: "/v1/reviews/:id/report",
    params: reviewParams,
    query: nothing,
    body: z.strictObject({ manifest: digest.describe("SHA-256 of the report's manifest") }),
    answer: z.object({ receipt: z.int() }),
    status: 200,
    permission: "reviews:manage",
    caller: "any",
    events: ["review.reported"],
    says: "records the hash of a report's manifest, so that the audit log vouches for every file of it",
    example: {
      params: { id: "rev_0123456789ab" },
      body: { manifest: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    },
  },
} as const satisfies Record<string, ContractRow>;
