/** Who runs and who waits, each user's share, and how full budgets are: asked again every two seconds. */
import { useState } from "react";
import type { ReactNode } from "react";
import type { Answer } from "@sallyport/contract";
import { placeText } from "../address.ts";
import { call } from "../calls.ts";
import { DataTable } from "../parts/data-table.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { Time } from "../parts/time.tsx";
import { useAnswer } from "../parts/use-answer.ts";
import { count, duration, percent } from "../words.ts";

type Environment = Answer<"activity">["environments"][number];

const EVERY_MS = 2_000;

export function LivePage(): ReactNode {
  const [isPaused, setIsPaused] = useState(false);
  const { value, problem } = useAnswer(
    `activity ${isPaused}`,
    (signal) => call("activity", {}, signal),
    isPaused ? undefined : EVERY_MS,
  );
  return (
    <>
      <div className="tools">
        <button type="button" aria-pressed={isPaused} onClick={() => setIsPaused((one) => !one)}>
          {isPaused ? "Go on" : "Pause"}
        </button>
      </div>
      <ProblemNote problem={problem} />
      {value?.environments.map((environment) => (
        <OneEnvironment key={environment.name} of={environment} />
      ))}
    </>
  );
}

function OneEnvironment({ of }: { readonly of: Environment }): ReactNode {
  return (
    <section aria-label={of.name}>
      <h2>{of.name}</h2>
      <DataTable
        caption={`Requests of ${of.name}`}
        rows={of.requests}
        keyOf={({ id }) => id}
        empty={<p>Nothing runs or waits.</p>}
        columns={[
          { name: "State", show: ({ state }) => <span className={`state ${state}`}>{state}</span> },
          { name: "Key", show: ({ key, keyName }) => <a href={placeText(`keys/${key}`)}>{keyName}</a> },
          { name: "Model", show: ({ model }) => model ?? "–" },
          { name: "Endpoint", show: ({ endpoint }) => endpoint },
          { name: "Server", show: ({ server }) => server ?? "–" },
          { name: "For", show: ({ sinceMs }) => duration(sinceMs), isNumber: true },
          { name: "Bytes", show: ({ sentBytes }) => count(sentBytes), isNumber: true },
        ]}
      />
      {of.users.length > 0 && (
        <DataTable
          caption={`Shares of ${of.name}`}
          rows={of.users}
          keyOf={({ principal }) => principal}
          empty={null}
          columns={[
            { name: "User", show: ({ name, principal }) => name ?? principal },
            { name: "Running", show: ({ running }) => count(running), isNumber: true },
            { name: "Waiting", show: ({ waiting }) => count(waiting), isNumber: true },
            { name: "Share", show: ({ share }) => percent(share), isNumber: true },
            { name: "Compute", show: ({ computeMs }) => duration(computeMs), isNumber: true },
            { name: "Mean wait", show: ({ meanQueueMs }) => duration(meanQueueMs), isNumber: true },
          ]}
        />
      )}
      {of.budgets.length > 0 && (
        <DataTable
          caption={`Budgets of ${of.name}`}
          rows={of.budgets}
          keyOf={({ account, budget }) => `${account} ${budget}`}
          empty={null}
          columns={[
            { name: "Budget", show: ({ account, budget }) => `${budget} of ${account}` },
            { name: "Used", show: ({ used, amount }) => percent(used / amount), isNumber: true },
            { name: "Until", show: ({ endsAt }) => <Time at={endsAt} /> },
          ]}
        />
      )}
    </section>
  );
}
