/** The newest records of the audit log. */
import { useState } from "react";
import type { ReactNode } from "react";
import { go, placeText } from "../address.ts";
import { call } from "../calls.ts";
import { DataTable } from "../parts/data-table.tsx";
import { EnvironmentFilter } from "../parts/environment-filter.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { Time } from "../parts/time.tsx";
import { useAnswer } from "../parts/use-answer.ts";
import { useEnvironments } from "../parts/use-environments.ts";
import type { PageProps } from "../page-props.ts";

const PAGE = 100;

export function AuditPage({ place }: PageProps): ReactNode {
  const { environment, type, before } = place.filters;
  const environments = useEnvironments();
  const [wanted, setWanted] = useState(type ?? "");
  const { value, problem } = useAnswer(`audit ${environment ?? ""} ${type ?? ""} ${before ?? ""}`, (signal) =>
    call("audit.search", { query: { environment, type, before, limit: PAGE, order: "newest" } }, signal),
  );
  return (
    <>
      <div className="tools">
        <EnvironmentFilter
          place={{ path: "audit", filters: { ...place.filters, before: "" } }}
          environments={environments}
        />
        <form
          role="search"
          onSubmit={(event) => {
            event.preventDefault();
            go("audit", { environment, type: wanted.trim() });
          }}
        >
          <label>
            Type{" "}
            <input
              value={wanted}
              onChange={(event) => setWanted(event.target.value)}
              placeholder="key.revoked"
              spellCheck={false}
            />
          </label>
          <button type="submit">Search</button>
        </form>
      </div>
      <ProblemNote problem={problem} />
      {value && (
        <DataTable
          caption="Audit records"
          rows={value.records}
          keyOf={({ seq }) => String(seq)}
          empty={<p>No record matches.</p>}
          columns={[
            { name: "No.", show: ({ seq }) => <a href={placeText(`audit/${seq}`)}>{seq}</a>, isNumber: true },
            { name: "When", show: ({ at }) => <Time at={at} /> },
            { name: "Environment", show: (one) => one.environment },
            { name: "Type", show: (one) => <code>{one.type}</code> },
            { name: "By", show: ({ actor }) => actor },
            { name: "What", show: ({ fields }) => <span className="mono fields">{JSON.stringify(fields)}</span> },
          ]}
        />
      )}
      <div className="tools">
        {before && (
          <button type="button" onClick={() => go("audit", { environment, type })}>
            Newest
          </button>
        )}
        {value?.next != null && (
          <button type="button" onClick={() => go("audit", { environment, type, before: String(value.next) })}>
            Older
          </button>
        )}
      </div>
    </>
  );
}
