/** The last changes of policy: when, by whom, and how many. */
import type { ReactNode } from "react";
import { placeText } from "../address.ts";
import { call } from "../calls.ts";
import { DataTable } from "../parts/data-table.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { Time } from "../parts/time.tsx";
import { useAnswer } from "../parts/use-answer.ts";

const SHOWN = 10;

/** `shownAt`: the epoch of the policy that is shown; with another one it is asked again. */
export function PolicyHistory({ shownAt }: { readonly shownAt: number | undefined }): ReactNode {
  const { value, problem } = useAnswer(`policy history ${shownAt ?? ""}`, (signal) =>
    call("audit.search", { query: { type: "policy.applied", limit: SHOWN, order: "newest" } }, signal),
  );
  return (
    <section aria-label="History">
      <h2>History</h2>
      <ProblemNote problem={problem} />
      {value && (
        <DataTable
          caption="Last changes of policy"
          rows={value.records}
          keyOf={({ seq }) => String(seq)}
          empty={<p>No policy file was applied in the time of which records are kept.</p>}
          columns={[
            { name: "When", show: ({ at }) => <Time at={at} /> },
            { name: "By", show: ({ actor }) => actor },
            { name: "Changes", show: ({ fields }) => plain(fields["changes"]), isNumber: true },
            {
              name: "SHA-256 of the file",
              show: ({ fields }) => <code>{plain(fields["sha256"]).slice(0, 16)}</code>,
            },
            { name: "Record", show: ({ seq }) => <a href={placeText(`audit/${seq}`)}>{seq}</a> },
          ]}
        />
      )}
    </section>
  );
}

/** A field of a record is of any JSON type; what is neither text nor number is not shown in a cell. */
function plain(field: unknown): string {
  return typeof field === "string" || typeof field === "number" ? String(field) : "";
}
