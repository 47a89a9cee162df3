/** A reviewer's decision on a line: judged here, where it is used, by who the gateway knows is calling. */
import { Problem } from "@sallyport/protocol";
import type { Answer } from "@sallyport/contract";
import type { LedgerEvent } from "../../audit/event.ts";
import type { LineDecision, ReviewDecision, ReviewLine, ReviewRecord } from "../../reviews/review.ts";
import { eventOf } from "../call.ts";
import type { AnyCall } from "../call.ts";
import { narrowSubject, nothingDone, nothingLess, revokeSubject } from "./carry-out.ts";
import type { CarriedOut } from "./carry-out.ts";
import { demandOpen, findLine, findReview } from "./known-line.ts";
import { findSubject, presentHash } from "./review-subject.ts";
import { actorName, whyDependent } from "./reviewers.ts";

export interface DecideOrder {
  readonly review: string;
  readonly line: number;
  readonly decision: ReviewDecision;
  readonly reason: string;
  /** What the caller says they have seen; undefined = what they were shown. */
  readonly version: number | undefined;
}

export function decideLine(call: AnyCall, order: DecideOrder): Promise<Answer<"reviews.decide">> {
  const { ports, caller } = call;
  return ports.changes.inTurn(async () => {
    const review = findReview(call, order.review);
    const now = ports.clock.now();
    demandOpen(review, now);
    const line = findLine(call, review, order.line);
    const by = caller.issuer.actor;
    demandReviewer(call, line, by);
    const opening = line.openings.findLast((one) => one.by === by);
    demandSeen(call, review, line, order.version ?? opening?.version, opening?.subjectHash);
    const { decision, reason } = order;
    const isCanary = review.canaries.includes(line.line);
    const hash = isCanary ? line.entryHash : presentHash(ports, review.environment, line.entry);
    const done = isCanary ? pretended(decision) : await carryOut(call, review, line, decision);
    const made: LineDecision = {
      decision,
      by,
      reason,
      at: now,
      // A clock that was set back meanwhile shows nothing.
      shownMs: opening ? Math.max(0, now - opening.at) : null,
      digest: opening?.digest ?? null,
      wasChanged: hash !== line.entryHash,
    };
    const next: ReviewLine = {
      ...line,
      version: line.version + 1,
      status: "decided",
      decision: made,
      outcome: { what: done.what, at: now, says: done.says, undo: done.undo },
    };
    const withheld = done.withheld === null ? [] : [done.withheld];
    const { seq } = await ports.changes.change({
      operations: [
        ...done.operations,
        { op: "review.line", line: next },
        ...(withheld.length > 0
          ? [{ op: "review.put", review: { ...review, withheld: [...review.withheld, ...withheld] } } as const]
          : []),
      ],
      events: [decidedEvent(call, review, line, made, done), ...done.events],
    });
    return {
      line: line.line,
      version: next.version,
      decision,
      outcome: done.what,
      says: done.says,
      // The decision is recorded before what it did.
      receipt: seq - done.events.length,
    };
  });
}

/** It is their line, and neither their right nor something they issued. */
function demandReviewer({ ports }: AnyCall, line: ReviewLine, by: string): void {
  if (line.assignedTo !== null && line.assignedTo !== by)
    throw new Problem(
      "permission_denied",
      `line ${line.line} is for ${actorName(ports, line.assignedTo)} to decide: delegate it first`,
    );
  const why = whyDependent(ports, by, line.entry);
  if (why !== undefined) throw new Problem("permission_denied", `line ${line.line} needs another reviewer: ${why}`);
}

/** What they decide on is what they have seen: another decision, or a changed subject, has to be seen first. */
function demandSeen(
  { ports }: AnyCall,
  review: ReviewRecord,
  line: ReviewLine,
  seen: number | undefined,
  seenHash: string | null | undefined,
): void {
  if (line.decision && seen !== line.version)
    throw new Problem(
      "conflict",
      `${actorName(ports, line.decision.by)} decided ${line.decision.decision} on line ${line.line}: show it again to decide otherwise`,
    );
  if (seen !== undefined && seen !== line.version)
    throw new Problem("conflict", `line ${line.line} was changed meanwhile: show it again`);
  if (seenHash === undefined || review.canaries.includes(line.line)) return;
  if (seenHash !== presentHash(ports, review.environment, line.entry))
    throw new Problem("conflict", `what line ${line.line} is about has changed since you were shown it: show it again`);
}

async function carryOut(
  call: AnyCall,
  { environment }: ReviewRecord,
  line: ReviewLine,
  decision: ReviewDecision,
): Promise<CarriedOut> {
  const found = findSubject(call.ports, environment, line.entry.subject);
  if (line.outcome && ["revoked", "narrowed"].includes(line.outcome.what))
    throw new Problem(
      "review_state",
      `line ${line.line} was ${line.outcome.what} already, which this review does not undo`,
    );
  if (!found) return nothingDone("gone", "it was revoked or removed meanwhile");
  if (decision === "keep") return nothingDone("kept", "nothing is changed");
  const event = (type: LedgerEvent["type"], where: string, fields: LedgerEvent["fields"]): LedgerEvent =>
    eventOf(call, type, where, fields);
  return decision === "narrow"
    ? narrowSubject(call, environment, found)
    : revokeSubject(call, environment, found, event);
}

/** A canary line answers as a key does. */
function pretended(decision: ReviewDecision): CarriedOut {
  if (decision === "keep") return nothingDone("kept", "nothing is changed");
  if (decision === "revoke") return nothingDone("revoked", "the key is revoked");
  throw nothingLess();
}

function decidedEvent(
  call: AnyCall,
  { id, environment }: ReviewRecord,
  { line, entry, entryHash, version }: ReviewLine,
  { decision, reason, at, shownMs, digest, wasChanged }: LineDecision,
  { what, says }: CarriedOut,
): LedgerEvent {
  const event = eventOf(call, "review.decided", environment, {
    review: id,
    line,
    version: version + 1,
    subject: entry.subject,
    entry_sha256: entryHash,
    decision,
    reason,
    outcome: what,
    says,
    shown_sha256: digest,
    shown_ms: shownMs,
    was_changed: wasChanged,
  });
  // Line and record say the same, to the millisecond.
  return { ...event, at };
}
