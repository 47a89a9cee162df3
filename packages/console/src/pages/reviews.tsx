/** Access reviews, and how far each is. */
import type { ReactNode } from "react";
import { placeText } from "../address.ts";
import { call } from "../calls.ts";
import { Command } from "../parts/command.tsx";
import { DataTable } from "../parts/data-table.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { Time } from "../parts/time.tsx";
import { useAnswer } from "../parts/use-answer.ts";
import { count } from "../words.ts";

export function ReviewsPage(): ReactNode {
  const { value, problem } = useAnswer("reviews", (signal) => call("reviews.list", { query: { limit: 100 } }, signal));
  return (
    <>
      <ProblemNote problem={problem} />
      {value && (
        <DataTable
          caption="Access reviews"
          rows={value.reviews}
          keyOf={({ id }) => id}
          empty={
            <p>
              No access review yet. <Command text="sallyport review start --env prod" />
            </p>
          }
          columns={[
            { name: "Review", show: ({ id }) => <a href={placeText(`reviews/${id}`)}>{id}</a> },
            { name: "Environment", show: ({ environment }) => environment },
            { name: "State", show: ({ state }) => <span className={`state ${state}`}>{state}</span> },
            { name: "Due", show: ({ due }) => <Time at={due} /> },
            { name: "Lines", show: ({ lines }) => count(lines), isNumber: true },
            { name: "Open", show: ({ open }) => count(open), isNumber: true },
            { name: "Decided", show: ({ decided }) => count(decided), isNumber: true },
          ]}
        />
      )}
    </>
  );
}
