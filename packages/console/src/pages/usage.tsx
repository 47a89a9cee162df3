/** Who used what, in the last days. */
import type { ReactNode } from "react";
import type { Answer } from "@sallyport/contract";
import { go } from "../address.ts";
import { call } from "../calls.ts";
import { Command } from "../parts/command.tsx";
import { DataTable } from "../parts/data-table.tsx";
import { EnvironmentFilter } from "../parts/environment-filter.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { useAnswer } from "../parts/use-answer.ts";
import { useEnvironments } from "../parts/use-environments.ts";
import { count, duration } from "../words.ts";
import type { PageProps } from "../page-props.ts";

const GROUPS = ["principal", "key", "team", "model", "environment", "day"] as const;
const DAYS = ["1", "7", "30", "90"] as const;
const DAY_MS = 86_400_000;
type Row = Answer<"usage.list">["rows"][number];

export function UsagePage({ place }: PageProps): ReactNode {
  const { environment } = place.filters;
  const by = GROUPS.find((one) => one === place.filters["by"]) ?? "principal";
  const days = DAYS.find((one) => one === place.filters["days"]) ?? "30";
  const environments = useEnvironments();
  const { value, problem } = useAnswer(`usage ${by} ${days} ${environment ?? ""}`, (signal) =>
    call("usage.list", { query: { by, environment, since: Date.now() - (Number(days) - 1) * DAY_MS } }, signal),
  );
  const choose = (name: string) => (event: { target: { value: string } }) =>
    go("usage", { ...place.filters, [name]: event.target.value });
  return (
    <>
      <div className="tools">
        <label>
          By{" "}
          <select value={by} onChange={choose("by")}>
            {GROUPS.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <label>
          Days{" "}
          <select value={days} onChange={choose("days")}>
            {DAYS.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <EnvironmentFilter place={{ path: "usage", filters: place.filters }} environments={environments} />
      </div>
      <ProblemNote problem={problem} />
      {value && (
        <DataTable
          caption={`Usage by ${by}`}
          rows={value.rows}
          keyOf={(row) => subjectOf(row, by)}
          empty={<p>Nothing was used in these days.</p>}
          columns={[
            { name: by, show: (row) => subjectOf(row, by) },
            { name: "Requests", show: ({ requests }) => count(requests), isNumber: true },
            { name: "Denied", show: ({ denied }) => count(denied), isNumber: true },
            { name: "Input tokens", show: ({ inputTokens }) => count(inputTokens), isNumber: true },
            { name: "Output tokens", show: ({ outputTokens }) => count(outputTokens), isNumber: true },
            { name: "Compute", show: ({ computeMs }) => duration(computeMs), isNumber: true },
            { name: "Waited", show: ({ queueMs }) => duration(queueMs), isNumber: true },
          ]}
        />
      )}
      <p className="quiet">
        As a file: <Command text={`sallyport usage --by ${by} --since ${days}d --format csv`} />
      </p>
    </>
  );
}

function subjectOf(row: Row, by: (typeof GROUPS)[number]): string {
  if (by === "key") return row.key ? `${row.keyName ?? "removed"} (${row.key})` : "several keys";
  if (by === "principal") return row.principalName ?? row.principal ?? "no owner";
  return row[by] ?? "none";
}
