/** Findings: risks and defects for which no request is denied. */
import { z } from "zod";
import { findingCodes, severities } from "@sallyport/protocol";
import type { FindingCode } from "@sallyport/protocol";
import type { ContractRow } from "./row.ts";
import { duration, environmentName, nothing, queryNumber, time } from "./scalars.ts";

const code = z.enum(Object.keys(findingCodes) as FindingCode[]);
const status = z.enum(["open", "accepted", "fixed"]);
const SUBJECT_MAX = 512;
const subject = z.string().min(1).max(SUBJECT_MAX);

export const findingView = z.object({
  code,
  severity: z.enum(severities),
  /** How `doctor` shows it. */
  state: z.enum(["ok", "note", "wrong"]),
  /** `open`, `accepted` until its date, or `fixed`: known, and resolved since. */
  status,
  /** `system` for what belongs to none. */
  environment: z.string(),
  /** `kind:name`, such as `key:4vJ9Qm2LxT8c`. */
  subject: z.string(),
  says: z.string(),
  evidence: z.array(z.string()),
  /** Empty where there is nothing to do. */
  remedy: z.string(),
  /** Name of the principal that answers for the subject. */
  owner: z.string().nullable(),
  /** Null where it was not recorded yet and the finding has no date by itself. */
  firstSeen: time.nullable(),
  /** Null unless someone accepted it. An acceptance that has expired stays here, and the finding is open. */
  accepted: z.object({ until: time, reason: z.string(), by: z.string(), at: time }).nullable(),
});
export type FindingView = z.output<typeof findingView>;

const acceptedFinding = z.strictObject({
  code,
  subject,
  /** Required where the subject has the finding in several environments. */
  environment: environmentName.optional(),
});

const EXAMPLE = { code: "role_use_unknown", subject: "environment:dev", environment: "dev" };

const changedFinding = z.object({ code, environment: z.string(), subject: z.string(), status });

export const findingRows = {
  findings: {
    method: "GET",
    path: "/v1/findings",
    params: nothing,
    query: z.strictObject({
      environment: environmentName.optional(),
      status: status.optional(),
      /** `next` of the page before. */
      after: z.string().max(1_024).optional(),
      limit: queryNumber(1, 10_000).optional(),
    }),
    body: null,
    answer: z.object({
      /** Worst first. */
      findings: z.array(findingView),
      /** What to give as `after` for the next page; null = this was the last. */
      next: z.string().nullable(),
      /** Uses of permissions are known from when to when. */
      usesKnown: z.object({ from: time, to: time }),
    }),
    status: 200,
    permission: "policy:read",
    caller: "any",
    events: [],
    says: "returns findings about policy, keys and storage in the environments that the caller administers",
  },
  "findings.accept": {
    method: "POST",
    path: "/v1/findings/accept",
    params: nothing,
    query: nothing,
    body: acceptedFinding.extend({
      /** A duration from now, or a time (RFC 3339); at most 400 days. */
      until: z.union([duration, z.iso.datetime({ offset: true })]),
      reason: z
        .string()
        .min(1)
        .max(500)
        .regex(/^[^\p{Cc}]+$/u, "has control characters"),
    }),
    answer: changedFinding,
    status: 200,
    permission: "policy:write",
    caller: "any",
    events: ["finding.accepted"],
    says: "accepts a finding until a date, with a reason; it is open again after it",
    example: { body: { ...EXAMPLE, until: "30d", reason: "the gateway is new" } },
  },
  "findings.reopen": {
    method: "POST",
    path: "/v1/findings/reopen",
    params: nothing,
    query: nothing,
    body: acceptedFinding,
    answer: changedFinding,
    status: 200,
    permission: "policy:write",
    caller: "any",
    events: ["finding.reopened"],
    says: "ends the acceptance of a finding",
    example: { body: EXAMPLE },
  },
} as const satisfies Record<string, ContractRow>;
