/** Risks and defects, worst first, each with what to do. */
import type { ReactNode } from "react";
import { go } from "../address.ts";
import { call } from "../calls.ts";
import { Command } from "../parts/command.tsx";
import { DataTable } from "../parts/data-table.tsx";
import { EnvironmentFilter } from "../parts/environment-filter.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { Time } from "../parts/time.tsx";
import { useAnswer } from "../parts/use-answer.ts";
import { useEnvironments } from "../parts/use-environments.ts";
import type { PageProps } from "../page-props.ts";
import { risks } from "../risks.ts";

const SEVERITIES = ["critical", "high", "medium", "low", "info"];
const SHOWN = 500;

export function FindingsPage({ place }: PageProps): ReactNode {
  const { environment, risk = "", state = "" } = place.filters;
  const codes = risks.find(({ name }) => name === risk)?.codes;
  const environments = useEnvironments();
  const { value, problem } = useAnswer(`findings ${environment ?? ""}`, (signal) =>
    call("findings", { query: { status: "open", environment, limit: 1_000 } }, signal),
  );
  const rows = (value?.findings ?? [])
    .filter((one) => one.state !== "ok" && (state === "" || one.state === state) && (codes?.has(one.code) ?? true))
    .toSorted((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
  return (
    <>
      <div className="tools">
        <EnvironmentFilter place={{ path: "findings", filters: place.filters }} environments={environments} />
        {(codes !== undefined || state !== "") && (
          <button type="button" onClick={() => go("findings", { environment })}>
            Show all
          </button>
        )}
      </div>
      <ProblemNote problem={problem} />
      {value && (
        <DataTable
          caption="Open findings"
          rows={rows.slice(0, SHOWN)}
          keyOf={(one) => `${one.environment} ${one.code} ${one.subject}`}
          empty={<p>Nothing was found.</p>}
          columns={[
            { name: "Severity", show: ({ severity }) => <span className={`state ${severity}`}>{severity}</span> },
            { name: "Environment", show: (one) => one.environment },
            { name: "Finding", show: ({ says, subject }) => (<>{says} <span className="quiet mono">{subject}</span></>) },
            { name: "First seen", show: ({ firstSeen }) => <Time at={firstSeen} never="–" /> },
            { name: "What to do", show: ({ remedy }) => (remedy === "" ? "–" : <Command text={remedy} />) },
          ]} // prettier-ignore
        />
      )}
      {(rows.length > SHOWN || value?.next) && (
        <p className="quiet">More than {SHOWN} were found; the worst are shown.</p>
      )}
    </>
  );
}
