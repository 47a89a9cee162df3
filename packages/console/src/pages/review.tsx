/** The lines of one access review, riskiest first; each is opened with its evidence and decided with a reason. */
import { useState } from "react";
import type { ReactNode } from "react";
import type { Answer } from "@sallyport/contract";
import { go, placeText } from "../address.ts";
import { call } from "../calls.ts";
import { DataTable } from "../parts/data-table.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { Time } from "../parts/time.tsx";
import { useAnswer } from "../parts/use-answer.ts";
import type { PageProps } from "../page-props.ts";
import { may } from "../session.ts";
import { DecideLine } from "./decide-line.tsx";

const PAGE = 50;
type Line = Answer<"reviews.lines">["lines"][number];

export function ReviewPage({ place, present }: PageProps): ReactNode {
  const id = place.path.slice("reviews/".length);
  const { status = "open", after } = place.filters;
  const [opened, setOpened] = useState<Line>();
  const review = useAnswer(`review ${id}`, (signal) => call("reviews.show", { params: { id } }, signal));
  const lines = useAnswer(`lines ${id} ${status} ${after ?? ""}`, (signal) =>
    call("reviews.lines", { params: { id }, query: { status, after, limit: PAGE } }, signal),
  );
  const canDecide = may(present, "reviews.decide") && review.value?.state === "open";
  const closeLine = (): void => {
    setOpened(undefined);
    lines.again();
    review.again();
  };
  return (
    <>
      <p>
        <a href={placeText("reviews")}>All reviews</a>
      </p>
      <ProblemNote problem={review.problem ?? lines.problem} />
      {review.value && (
        <p>
          {review.value.environment}, {review.value.state}: {review.value.decided} of {review.value.lines} lines
          decided, due <Time at={review.value.due} />. Population{" "}
          <code>{review.value.populationHash.slice(0, 16)}…</code>
        </p>
      )}
      <div className="tools">
        <label>
          Lines{" "}
          <select value={status} onChange={(event) => go(place.path, { status: event.target.value })}>
            <option>open</option>
            <option>decided</option>
            <option>ended</option>
          </select>
        </label>
      </div>
      {lines.value && (
        <DataTable
          caption="Lines of the review"
          rows={lines.value.lines}
          keyOf={({ line }) => String(line)}
          empty={<p>No {status} line.</p>}
          columns={[
            { name: "Line", show: ({ line }) => line, isNumber: true },
            { name: "Subject", show: ({ name, subject }) => (<>{name} <span className="quiet mono">{subject}</span></>) },
            { name: "Owner", show: ({ owner }) => owner ?? "none" },
            { name: "Risks", show: ({ risks }) => risks.join(", ") || "none" },
            { name: "Since the freeze", show: ({ flags }) => flags.join(", ") || "–" },
            { name: "Reviewer", show: ({ assignedTo }) => assignedTo ?? "anyone independent" },
            { name: "Decision", show: ({ decision, outcome }) => outcome?.says ?? decision?.decision ?? "–" },
            { name: "Evidence", show: (line) => canDecide && line.status === "open" ? (
              <button type="button" className="small" aria-label={`Open line ${line.line}`} onClick={() => setOpened(line)}>Open</button>
            ) : "–" },
          ]} // prettier-ignore
        />
      )}
      {lines.value?.next != null && (
        <button type="button" onClick={() => go(place.path, { status, after: String(lines.value!.next) })}>
          Next page
        </button>
      )}
      {opened && <DecideLine review={id} line={opened} onClose={closeLine} />}
    </>
  );
}
