/** The review and the line that a call names, for who administers the review's environment. */
import { Problem } from "@sallyport/protocol";
import { LongWork } from "../../kernel/long-work.ts";
import type { LineStatus, ReviewLine, ReviewRecord } from "../../reviews/review.ts";
import { demandEnvironment } from "../call.ts";
import type { AnyCall } from "../call.ts";
import type { AdminPorts } from "../ports.ts";
import { isoTime } from "../views.ts";

export function findReview(call: AnyCall, id: string): ReviewRecord {
  const review = call.ports.reviews.get(id);
  if (!review) throw new Problem("not_found", `there is no review ${id}`);
  demandEnvironment(call, review.environment);
  return review;
}

export function findLine(call: AnyCall, { id }: ReviewRecord, line: number): ReviewLine {
  const found = call.ports.reviewLines.one(id, line);
  if (!found) throw new Problem("not_found", `review ${id} has no line ${line}`);
  return found;
}

/** Decisions are made until the end, and not while the lines are still being frozen. */
export function demandOpen({ id, state, dueAt }: ReviewRecord, now: number): void {
  if (state !== "open") throw new Problem("review_state", `review ${id} is ${state}`);
  if (now >= dueAt) throw new Problem("review_state", `review ${id} ended at ${isoTime(dueAt)}`);
}

/** Reading and checking a line takes some 100 us: a page is part of one turn. */
const PAGE = 25;

/** At most `limit` lines, in slices. */
export async function readLines(
  { reviewLines }: Pick<AdminPorts, "reviewLines">,
  filter: { readonly review: string; readonly after: number; readonly status?: LineStatus; readonly limit: number },
): Promise<ReviewLine[]> {
  const work = new LongWork();
  const found: ReviewLine[] = [];
  let { after } = filter;
  while (found.length < filter.limit) {
    const page = reviewLines.some({ ...filter, after, limit: Math.min(PAGE, filter.limit - found.length) });
    found.push(...page);
    const last = page.at(-1);
    if (!last || page.length < PAGE) break;
    after = last.line;
    const resting = work.rest();
    if (resting) await resting;
  }
  return found;
}
