/** Access reviews. What a decision does is in `admin/reviews/`. */
import { Problem } from "@sallyport/protocol";
import { parseDurationMs } from "@sallyport/contract";
import { administers } from "../../access/attenuation.ts";
import type { EventType, LedgerEvent } from "../../audit/event.ts";
import { nextRound } from "../../kernel/long-work.ts";
import type { Delegation, ReviewLine } from "../../reviews/review.ts";
import { eventOf } from "../call.ts";
import type { AnyCall, Call, Handlers } from "../call.ts";
import { demandKnownEnvironment } from "../known-filter.ts";
import { decideLine } from "../reviews/decide-line.ts";
import { endReview } from "../reviews/end-review.ts";
import { demandOpen, findLine, findReview, readLines } from "../reviews/known-line.ts";
import { openLine } from "../reviews/open-line.ts";
import { restoreSubject } from "../reviews/restore-line.ts";
import { findReviewer, whyDependent } from "../reviews/reviewers.ts";
import { startReview } from "../reviews/start-review.ts";
import { viewExported, viewLine, viewReview } from "../reviews/view-review.ts";
import { isoTime } from "../views.ts";

const DAY_MS = 86_400_000;
const DUE_MIN_MS = DAY_MS;
const DUE_MAX_MS = 90 * DAY_MS;
const LIMIT_DEFAULT = 100;
const RECORDS = 1_000;

type ReviewRoute =
  | "reviews.start"
  | "reviews.list"
  | "reviews.show"
  | "reviews.lines"
  | "reviews.open"
  | "reviews.decide"
  | "reviews.delegate"
  | "reviews.restore"
  | "reviews.close"
  | "reviews.export"
  | "reviews.records"
  | "reviews.report";

export const reviewHandlers: Handlers<ReviewRoute> = {
  "reviews.start": async (call) => {
    const { environment, scope, reviewers } = call.body;
    demandKnownEnvironment(call, environment);
    const dueMs = parseDurationMs(call.body.due) ?? 0;
    if (dueMs < DUE_MIN_MS || dueMs > DUE_MAX_MS)
      throw new Problem("input_invalid", undefined, ["due: is not between 1d and 90d"]);
    const found = new Map<string, { actor: string; name: string }>();
    for (const name of reviewers) {
      const one = await findReviewer(call.ports, environment, name);
      found.set(one.actor, one);
    }
    const review = await startReview(call.ports, {
      environment,
      scope,
      dueMs,
      reviewers: [...found.values()],
      schedule: null,
      actor: call.caller.issuer.actor,
      event: (type, fields) => eventOf(call, type, environment, fields),
    });
    const { id, lines, populationHash, dueAt } = review;
    return { reviewId: id, lines, populationHash, due: isoTime(dueAt) };
  },

  "reviews.list": async (call) => {
    const { environment, after, limit = LIMIT_DEFAULT } = call.query;
    if (environment !== undefined) demandKnownEnvironment(call, environment);
    const mine = call.ports.reviews
      .all()
      .filter(
        (one) =>
          administers(call.caller.issuer.right, one.environment) &&
          (environment === undefined || one.environment === environment),
      );
    const from = after === undefined ? 0 : mine.findIndex(({ id }) => id === after) + 1;
    const page = mine.slice(from, from + limit);
    const reviews = [];
    for (const review of page) {
      reviews.push(viewReview(call.ports, review));
      await nextRound();
    }
    return { reviews, next: from + limit < mine.length ? (page.at(-1)?.id ?? null) : null };
  },

  "reviews.show": (call) => viewReview(call.ports, findReview(call, call.params.id)),

  "reviews.lines": async (call) => {
    const review = findReview(call, call.params.id);
    const { status, after = 0, limit = LIMIT_DEFAULT } = call.query;
    const filter = { review: review.id, after, limit: limit + 1, ...(status === undefined ? {} : { status }) };
    const lines = await readLines(call.ports, filter);
    const page = lines.slice(0, limit);
    return {
      lines: page.map((line) => viewLine(call.ports, review, line)),
      next: lines.length > limit ? (page.at(-1)?.line ?? null) : null,
    };
  },

  "reviews.open": (call) => openLine(call, findReview(call, call.params.id), call.params.line),

  "reviews.decide": (call) => {
    const { id: review, line } = call.params;
    const { decision, reason, version } = call.body;
    return decideLine(call, { review, line, decision, reason, version });
  },

  "reviews.delegate": delegate,

  "reviews.restore": (call) =>
    call.ports.changes.inTurn(async () => {
      const review = findReview(call, call.params.id);
      const line = findLine(call, review, call.params.line);
      const { operations, events, says, assignment } = restoreSubject(call, review, line);
      const now = call.ports.clock.now();
      const next: ReviewLine = {
        ...line,
        version: line.version + 1,
        outcome: { what: "restored", at: now, says: `${says}: ${call.body.reason}`, undo: null },
      };
      const { subject } = line.entry;
      const said = { review: review.id, line: line.line, subject, reason: call.body.reason };
      const withheld = review.withheld.filter((one) => one !== assignment);
      const { seq } = await call.ports.changes.change({
        operations: [
          ...operations,
          { op: "review.line", line: next },
          ...(assignment === null ? [] : [{ op: "review.put", review: { ...review, withheld } } as const]),
        ],
        events: [eventOf(call, "review.restored", review.environment, said), ...events],
      });
      return { line: line.line, subject, says, receipt: seq - events.length };
    }),

  "reviews.close": async (call) => {
    const review = findReview(call, call.params.id);
    if (review.state !== "open") throw new Problem("review_state", `review ${review.id} is ${review.state}`);
    const { open } = viewReview(call.ports, review);
    if (open > 0 && call.ports.clock.now() < review.dueAt)
      throw new Problem(
        "review_state",
        `${open} lines are not decided: decide them, or wait until ${isoTime(review.dueAt)}, when they are suspended`,
      );
    const event = (type: EventType, environment: string, fields: LedgerEvent["fields"]): LedgerEvent =>
      eventOf(call, type, environment, fields);
    const closed = await endReview(call.ports, { review: review.id, actor: call.caller.issuer.actor, event });
    if (!closed) throw new Problem("review_state", `review ${review.id} was closed meanwhile`);
    return viewReview(call.ports, closed);
  },

  "reviews.export": async (call) => {
    const review = closedReview(call, call.params.id);
    const { after = 0, limit = LIMIT_DEFAULT } = call.query;
    const lines = await readLines(call.ports, { review: review.id, after, limit: limit + 1 });
    const page = lines.slice(0, limit);
    return {
      review: viewReview(call.ports, review),
      canarySalt: review.canarySalt,
      lines: page.map((line) => viewExported(call.ports, review, line)),
      next: lines.length > limit ? (page.at(-1)?.line ?? null) : null,
    };
  },

  "reviews.records": async (call) => {
    const review = closedReview(call, call.params.id);
    const newest = call.ports.newestRecord();
    const { records, through } = await call.ports.audit.read({
      types: REPORTED,
      environment: review.environment,
      since: review.startedAt,
      after: call.query.after ?? 0,
      limit: RECORDS,
      order: "oldest",
    });
    return {
      records: records
        .filter(({ fields }) => fields["review"] === review.id)
        .map(({ seq, type, fields }) => ({
          seq,
          type,
          line: typeof fields["line"] === "number" ? fields["line"] : null,
        })),
      next: through >= newest ? null : through,
    };
  },

  "reviews.report": (call) =>
    call.ports.changes.inTurn(async () => {
      const review = closedReview(call, call.params.id);
      const said = { review: review.id, manifest_sha256: call.body.manifest };
      const { seq } = await call.ports.changes.change({
        operations: [],
        events: [eventOf(call, "review.reported", review.environment, said)],
      });
      return { receipt: seq };
    }),
};

/** What a report proves. */
const REPORTED: readonly EventType[] = [
  "review.started",
  "review.decided",
  "review.delegated",
  "review.ended",
  "review.restored",
  "review.closed",
];

function closedReview(call: AnyCall, id: string) {
  const review = findReview(call, id);
  if (review.state !== "closed")
    throw new Problem("review_state", `review ${id} is ${review.state}: its report can be written when it is closed`);
  return review;
}

/** One's own lines; with `reviews:manage` any. The other reviewer has to be independent of each. */
function delegate(call: Call<"reviews.delegate">) {
  const { ports, caller, body } = call;
  return ports.changes.inTurn(async () => {
    const review = findReview(call, call.params.id);
    const now = ports.clock.now();
    demandOpen(review, now);
    const to = await findReviewer(ports, review.environment, body.to);
    const by = caller.issuer.actor;
    const mayAny = caller.issuer.right.permissions.includes("reviews:manage");
    const numbers = [...new Set(body.lines)];
    const mistakes: string[] = [];
    const lines: ReviewLine[] = [];
    for (const number of numbers) {
      const line = findLine(call, review, number);
      const why = whyDependent(ports, to.actor, line.entry);
      if (!mayAny && line.assignedTo !== by)
        throw new Problem("permission_denied", `line ${number} is not yours: reviews:manage is needed`);
      if (line.status !== "open") mistakes.push(`line ${number} is decided`);
      else if (why !== undefined) mistakes.push(`line ${number}: ${why}`);
      const delegation: Delegation = { from: line.assignedTo, to: to.actor, by, at: now };
      const delegations = [...line.delegations, delegation].slice(-DELEGATIONS_MAX);
      lines.push({ ...line, version: line.version + 1, assignedTo: to.actor, delegations });
      if (lines.length % LINES_A_ROUND === 0) await nextRound();
    }
    if (mistakes.length > 0) throw new Problem("review_state", mistakes.slice(0, MISTAKES_MAX).join("; "));
    await ports.changes.change({
      operations: lines.map((line) => ({ op: "review.line", line }) as const),
      events: [
        eventOf(call, "review.delegated", review.environment, {
          review: review.id,
          lines: numbers.join(","),
          to: to.actor,
          from: [...new Set(lines.map(({ delegations }) => delegations.at(-1)?.from ?? "none"))],
        }),
      ],
    });
    return { to: to.actor, lines: numbers };
  });
}

const DELEGATIONS_MAX = 20;
const LINES_A_ROUND = 25;
const MISTAKES_MAX = 10;
