/** Rows of access reviews and their lines. */
import type { LineStatus, ReviewLine, ReviewRecord, ReviewRisk } from "../../reviews/review.ts";
import { readRow as read } from "../disk/damaged-record.ts";
import { json, listOf, object, oneOf, orNull, text, wholeNumber, yesNo } from "../disk/json-shape.ts";
import type { Shape } from "../disk/json-shape.ts";
import type { SqlRow, SqlValue } from "../disk/sqlite.ts";

const texts = listOf(text);
const numbers = listOf(wholeNumber);
const lineStatus = oneOf<LineStatus>({ open: true, decided: true, ended: true });

const risk = oneOf<ReviewRisk>({
  privileged: true,
  unused: true,
  wide: true,
  ownerless: true,
  never_rotated: true,
  anomalous: true,
});

const figures = object({
  actor: text,
  decided: wholeNumber,
  kept: wholeNumber,
  opened: wholeNumber,
  medianShownMs: orNull(wholeNumber),
  canariesKept: wholeNumber,
  canariesSeen: wholeNumber,
  signs: texts,
});

const counts: Shape<Readonly<Record<string, number>>> = (value, where) =>
  Object.fromEntries(
    listOf((pair, at) => {
      const [name, count] = listOf((part) => part)(pair, at);
      return [text(name, at), wholeNumber(count, at)] as const;
    })(Object.entries(value ?? {}), where),
  );

const reviewBody = json(
  object({
    scope: oneOf<ReviewRecord["scope"]>({ all: true, privileged: true }),
    state: oneOf<ReviewRecord["state"]>({ starting: true, open: true, closed: true, abandoned: true }),
    startedAt: wholeNumber,
    startedBy: text,
    dueAt: wholeNumber,
    epoch: wholeNumber,
    entries: wholeNumber,
    lines: wholeNumber,
    populationHash: text,
    reviewers: listOf(object({ actor: text, name: text })),
    schedule: orNull(text),
    reminded: numbers,
    canaries: numbers,
    canarySalt: text,
    withheld: texts,
    closedAt: orNull(wholeNumber),
    closedBy: orNull(text),
    result: orNull(object({ counts, figures: listOf(figures) })),
  }),
);

export function readReview(row: SqlRow): ReviewRecord {
  return read("review", row["id"], () => ({
    id: text(row["id"], "id"),
    environment: text(row["environment"], "environment"),
    ...reviewBody(row["body"], "body"),
  }));
}

export function reviewRow({ id, environment, ...body }: ReviewRecord): SqlValue[] {
  return [id, environment, JSON.stringify(body)];
}

const entry = object({
  subject: text,
  name: text,
  owner: orNull(text),
  issuer: orNull(text),
  state: text,
  roles: texts,
  allow: texts,
  models: orNull(texts),
  permissions: texts,
  environments: texts,
  conditions: texts,
});

const evidence = object({
  createdAt: orNull(wholeNumber),
  expiresAt: orNull(wholeNumber),
  rotatedAt: orNull(wholeNumber),
  lastUsedAt: orNull(wholeNumber),
  requests: orNull(wholeNumber),
  ownerState: oneOf<ReviewLine["evidence"]["ownerState"]>({ active: true, disabled: true, gone: true, none: true }),
  anomalies: wholeNumber,
  opens: texts,
});

const lineBody = json(
  object({
    entry,
    entryHash: text,
    evidence,
    risks: listOf(risk),
    openings: listOf(
      object({ by: text, at: wholeNumber, digest: text, subjectHash: orNull(text), version: wholeNumber }),
    ),
    decision: orNull(
      object({
        decision: oneOf<NonNullable<ReviewLine["decision"]>["decision"]>({ keep: true, revoke: true, narrow: true }),
        by: text,
        reason: text,
        at: wholeNumber,
        shownMs: orNull(wholeNumber),
        digest: orNull(text),
        wasChanged: yesNo,
      }),
    ),
    outcome: orNull(
      object({
        what: oneOf<NonNullable<ReviewLine["outcome"]>["what"]>({
          kept: true,
          revoked: true,
          narrowed: true,
          suspended: true,
          protected: true,
          gone: true,
          restored: true,
        }),
        at: wholeNumber,
        says: text,
        undo: orNull(text),
      }),
    ),
    delegations: listOf(object({ from: orNull(text), to: text, by: text, at: wholeNumber })),
  }),
);

export function readReviewLine(row: SqlRow): ReviewLine {
  return read("review_line", `${String(row["review"])}/${String(row["line"])}`, () => ({
    review: text(row["review"], "review"),
    line: wholeNumber(row["line"], "line"),
    version: wholeNumber(row["version"], "version"),
    status: lineStatus(row["status"], "status"),
    assignedTo: orNull(text)(row["assigned_to"], "assigned_to"),
    ...lineBody(row["body"], "body"),
  }));
}

export function reviewLineRow({ review, line, version, status, assignedTo, ...body }: ReviewLine): SqlValue[] {
  return [review, line, version, status, assignedTo, JSON.stringify(body)];
}

/** Of a `GROUP BY`: no row of a table, so nothing binds it. */
export function readLineStatus(value: unknown): LineStatus {
  return lineStatus(value, "status");
}
