/** Access reviews of a gateway in memory, as the store keeps them. */
import { Problem } from "@sallyport/protocol";
import type { AdminPorts, Operation, ReviewLine, ReviewRecord } from "../program-under-test.ts";

/** By `review/line`. */
export type LineTable = Map<string, ReviewLine>;

export function linesIn(table: LineTable): AdminPorts["reviewLines"] {
  const linesOf = (review: string): ReviewLine[] =>
    [...table.values()].filter((one) => one.review === review).sort((a, b) => a.line - b.line);
  return {
    one: (review, line) => table.get(`${review}/${line}`),
    some: ({ review, after = 0, status, assignedTo, limit }) =>
      linesOf(review)
        .filter(
          (one) =>
            one.line > after &&
            (status === undefined || one.status === status) &&
            (assignedTo === undefined || one.assignedTo === assignedTo),
        )
        .slice(0, limit),
    counts: (review) => linesOf(review).map(({ assignedTo, status }) => ({ assignedTo, status, lines: 1 })),
  };
}

type ReviewOperation = Extract<Operation, { op: "review.put" | "review.freeze" | "review.line" }>;

export function applyReview(operation: ReviewOperation, reviews: Map<string, ReviewRecord>, lines: LineTable): void {
  if (operation.op === "review.put") reviews.set(operation.review.id, operation.review);
  else if (operation.op === "review.freeze")
    for (const line of operation.lines) lines.set(`${line.review}/${line.line}`, line);
  else {
    const { line } = operation;
    const name = `${line.review}/${line.line}`;
    if (lines.get(name)?.version !== line.version - 1) throw new Problem("conflict");
    lines.set(name, line);
  }
}
