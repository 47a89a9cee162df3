/**
 * The end of a review. What no one decided on is suspended, line by line in changes of some hundred, so that a stop in
 * between loses nothing and the next attempt goes on; then the canary lines are shown and reviewers' figures are taken.
 */
import { LongWork } from "../../kernel/long-work.ts";
import type { Operation } from "../../changes/change.ts";
import type { EventType, LedgerEvent } from "../../audit/event.ts";
import type { ReviewLine, ReviewRecord, ReviewResult } from "../../reviews/review.ts";
import { DecisionTally } from "../../reviews/rubber-stamp.ts";
import type { AdminPorts } from "../ports.ts";
import { nothingDone, suspendSubject } from "./carry-out.ts";
import type { CarriedOut } from "./carry-out.ts";
import { findSubject } from "./review-subject.ts";

export interface EndOrder {
  readonly review: string;
  readonly actor: string;
  readonly event: (type: EventType, environment: string, fields: LedgerEvent["fields"]) => LedgerEvent;
}

/** A revocation waits for the change before it, so a change has no more lines than this. */
const LINES_PER_CHANGE = 50;
const PAGE = 50;

/** Resolves with the closed review; undefined where another call has closed it meanwhile. */
export async function endReview(ports: AdminPorts, order: EndOrder): Promise<ReviewRecord | undefined> {
  while (await suspendSome(ports, order));
  const review = ports.reviews.get(order.review);
  if (review?.state !== "open") return undefined;
  const result = await resultOf(ports, review);
  return ports.changes.inTurn(async () => {
    const present = ports.reviews.get(order.review);
    if (present?.state !== "open") return undefined;
    const closed: ReviewRecord = {
      ...present,
      state: "closed",
      closedAt: ports.clock.now(),
      closedBy: order.actor,
      result,
    };
    const signs = result.figures.filter((one) => one.signs.length > 0);
    await ports.changes.change({
      operations: [{ op: "review.put", review: closed }],
      events: [
        order.event("review.closed", present.environment, {
          review: present.id,
          lines: present.lines,
          ...result.counts,
          canaries: present.canaries.join(","),
          canary_salt: present.canarySalt,
          rubber_stamps: signs.map(({ actor }) => actor),
        }),
      ],
    });
    return closed;
  });
}

/** False when no line is open any more. */
function suspendSome(ports: AdminPorts, { review: id, event }: EndOrder): Promise<boolean> {
  return ports.changes.inTurn(async () => {
    const review = ports.reviews.get(id);
    if (review?.state !== "open") return false;
    const lines = ports.reviewLines.some({ review: id, status: "open", limit: LINES_PER_CHANGE });
    if (lines.length === 0) return false;
    const operations: Operation[] = [];
    const events: LedgerEvent[] = [];
    const withheld: string[] = [];
    const work = new LongWork();
    const stopped = new Set<string>();
    for (const line of lines) {
      const resting = work.rest();
      if (resting) await resting;
      const done = await silenceOf(ports, review, line, stopped, event);
      operations.push(...done.operations, { op: "review.line", line: endedLine(line, done, ports.clock.now()) });
      const { subject } = line.entry;
      events.push(
        event("review.ended", review.environment, {
          review: id,
          line: line.line,
          subject,
          outcome: done.what,
          reason: "no_decision",
        }),
        ...done.events,
      );
      if (done.withheld !== null) withheld.push(done.withheld);
    }
    if (withheld.length > 0)
      operations.push({ op: "review.put", review: { ...review, withheld: [...review.withheld, ...withheld] } });
    const [first, ...rest] = events;
    if (first) await ports.changes.change({ operations, events: [first, ...rest] });
    return true;
  });
}

/** `stopped`: admin keys that the same change suspends, which count as gone when the last one is looked for. */
async function silenceOf(
  ports: AdminPorts,
  { environment, canaries }: ReviewRecord,
  { line, entry }: ReviewLine,
  stopped: Set<string>,
  event: EndOrder["event"],
): Promise<CarriedOut> {
  if (canaries.includes(line)) return nothingDone("suspended", "the key is suspended");
  const found = findSubject(ports, environment, entry.subject);
  if (!found) return nothingDone("gone", "it was revoked or removed meanwhile");
  const listKeys: AdminPorts["listKeys"] = (filter) =>
    ports.listKeys(filter).map((key) => (stopped.has(key.id) ? { ...key, state: "suspended" } : key));
  const done = await suspendSubject({ ...ports, listKeys }, environment, found, event);
  if (found.kind === "admin_key" && done.what === "suspended") stopped.add(found.key.id);
  return done;
}

function endedLine(line: ReviewLine, { what, says, undo }: CarriedOut, at: number): ReviewLine {
  return { ...line, version: line.version + 1, status: "ended", outcome: { what, at, says, undo } };
}

async function resultOf(ports: AdminPorts, { id, canaries }: ReviewRecord): Promise<ReviewResult> {
  const tally = new DecisionTally(canaries);
  const planted = new Set(canaries);
  const counts: Record<string, number> = {};
  const work = new LongWork();
  for (let after = 0; ;) {
    const lines = ports.reviewLines.some({ review: id, after, limit: PAGE });
    await work.each(lines, (line) => {
      tally.note(line);
      const what = line.outcome?.what ?? "undecided";
      if (!planted.has(line.line)) counts[what] = (counts[what] ?? 0) + 1;
    });
    const last = lines.at(-1);
    if (!last || lines.length < PAGE) return { counts, figures: tally.figures() };
    after = last.line;
  }
}
