/** The person's sessions at the console, and an end to each. */
import { useState } from "react";
import type { ReactNode } from "react";
import type { CallProblem } from "../calls.ts";
import { DataTable } from "../parts/data-table.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { Time } from "../parts/time.tsx";
import { problemOf, useAnswer } from "../parts/use-answer.ts";
import { endOther, presence } from "../session.ts";

export function SessionPage(): ReactNode {
  const { value, problem, again } = useAnswer("session", presence);
  const [failure, setFailure] = useState<CallProblem>();
  const end = (id: string): void => void endOther(id).then(again, (cause: unknown) => setFailure(problemOf(cause)));
  return (
    <>
      <ProblemNote problem={failure ?? problem} />
      {value && (
        <DataTable
          caption="Your sessions"
          rows={value.sessions}
          keyOf={({ id }) => id}
          empty={null}
          columns={[
            { name: "From", show: ({ address }) => address ?? "unknown" },
            { name: "Opened", show: ({ openedAt }) => <Time at={openedAt} /> },
            { name: "Last used", show: ({ usedAt }) => <Time at={usedAt} /> },
            { name: "Ends", show: ({ endsAt }) => <Time at={endsAt} /> },
            {
              name: "End",
              show: ({ id }) =>
                id === value.session.id ? (
                  "this one"
                ) : (
                  <button type="button" className="small" onClick={() => end(id)}>
                    End
                  </button>
                ),
            },
          ]}
        />
      )}
    </>
  );
}
