/** Access reviews as they are shown: a review, a line of its list, a line with its evidence. */
import { z } from "zod";
import { reviewDecisions } from "@sallyport/protocol";
import { time } from "./scalars.ts";

export type WrittenDecision = (typeof reviewDecisions)[number];

export const reviewIdForm = z.string().regex(/^rev_[0-9A-Za-z]{12}$/, "is not the id of a review (rev_…)");

const reviewerView = z.object({
  actor: z.string(),
  name: z.string(),
  /** `left`: the admin key or its person is gone, disabled or may no longer decide. Their open lines have to be delegated. */
  state: z.enum(["active", "left"]),
  open: z.int(),
  decided: z.int(),
});

export const reviewerFigures = z.object({
  actor: z.string(),
  name: z.string(),
  decided: z.int(),
  kept: z.int(),
  /** Lines whose evidence they had opened. */
  opened: z.int(),
  medianShownMs: z.int().nullable(),
  canariesKept: z.int(),
  canariesSeen: z.int(),
  /** Signs of decisions without a look; a reviewer with any is named in the report. */
  signs: z.array(z.string()),
});
export type ReviewerFiguresView = z.output<typeof reviewerFigures>;

export const reviewView = z.object({
  id: z.string(),
  environment: z.string(),
  scope: z.enum(["all", "privileged"]),
  state: z.enum(["starting", "open", "closed", "abandoned"]),
  startedAt: time,
  startedBy: z.string(),
  due: time,
  /** Members of the population. */
  entries: z.int(),
  /** Lines to decide on. */
  lines: z.int(),
  /** SHA-256 over the population, as it is in the audit log. */
  populationHash: z.string(),
  open: z.int(),
  decided: z.int(),
  /** Without a decision when the review ended. */
  ended: z.int(),
  /** Open lines without a named reviewer. */
  unassigned: z.int(),
  reviewers: z.array(reviewerView),
  schedule: z.string().nullable(),
  closedAt: time.nullable(),
  closedBy: z.string().nullable(),
  /** Outcomes, and how each reviewer decided; null before the review is closed. */
  result: z.object({ counts: z.record(z.string(), z.int()), figures: z.array(reviewerFigures) }).nullable(),
});
export type ReviewView = z.output<typeof reviewView>;

export const populationEntry = z.object({
  subject: z.string(),
  name: z.string(),
  owner: z.string().nullable(),
  issuer: z.string().nullable(),
  state: z.string(),
  roles: z.array(z.string()),
  allow: z.array(z.string()),
  models: z.array(z.string()).nullable(),
  permissions: z.array(z.string()),
  environments: z.array(z.string()),
  conditions: z.array(z.string()),
});
export type PopulationEntryView = z.output<typeof populationEntry>;

export const lineEvidence = z.object({
  created: time.nullable(),
  expires: time.nullable(),
  rotated: time.nullable(),
  lastUsed: time.nullable(),
  /** Admitted requests of 90 days; null where they are not counted for such a subject. */
  requests: z.int().nullable(),
  owner: z.enum(["active", "disabled", "gone", "none"]),
  /** Alerts of 90 days. */
  anomalies: z.int(),
  /** What it opens. */
  opens: z.array(z.string()),
});

const decisionView = z.object({
  decision: z.enum(reviewDecisions),
  by: z.string(),
  reason: z.string(),
  at: time,
  /** How long the evidence had been shown to them; null = they had not opened it. */
  shownMs: z.int().nullable(),
  /** SHA-256 of what they were shown. */
  digest: z.string().nullable(),
  /** The subject was no longer as it was frozen. */
  wasChanged: z.boolean(),
});

const outcomeView = z.object({
  what: z.enum(["kept", "revoked", "narrowed", "suspended", "protected", "gone", "restored"]),
  at: time,
  says: z.string(),
});

export const lineFlags = ["changed", "gone", "reviewer_left", "no_reviewer"] as const;

export const lineView = z.object({
  line: z.int(),
  version: z.int(),
  subject: z.string(),
  name: z.string(),
  /** Name of the owner, where it has one. */
  owner: z.string().nullable(),
  risks: z.array(z.string()),
  /** What happened since the freeze, and to the reviewer. */
  flags: z.array(z.enum(lineFlags)),
  status: z.enum(["open", "decided", "ended"]),
  /** Who has to decide; null = any independent reviewer. */
  assignedTo: z.string().nullable(),
  decision: decisionView.nullable(),
  outcome: outcomeView.nullable(),
});
export type LineView = z.output<typeof lineView>;

/** Who may use it where, then and now. */
const momentView = z.object({ entry: populationEntry, evidence: lineEvidence });

export const fullLineView = lineView.extend({
  frozen: momentView,
  /** Null where the subject is gone. */
  now: momentView.nullable(),
  /** What `narrow` would leave; null where it can leave nothing less. */
  narrowed: z.string().nullable(),
  openings: z.array(z.object({ by: z.string(), at: time, digest: z.string() })),
  delegations: z.array(z.object({ from: z.string().nullable(), to: z.string(), by: z.string(), at: time })),
});
export type FullLineView = z.output<typeof fullLineView>;

/** A line of a closed review, with everything that its report is made of. */
export const exportedLine = lineView.omit({ flags: true }).extend({
  isCanary: z.boolean(),
  frozen: momentView,
  openings: z.array(z.object({ by: z.string(), at: time, digest: z.string() })),
  delegations: z.array(z.object({ from: z.string().nullable(), to: z.string(), by: z.string(), at: time })),
});
export type ExportedLine = z.output<typeof exportedLine>;
