/** What was noticed about keys, what is done about it, and keys that leaked. */
import { useState } from "react";
import type { ReactNode } from "react";
import type { Answer } from "@sallyport/contract";
import { placeText } from "../address.ts";
import { call } from "../calls.ts";
import type { CallProblem } from "../calls.ts";
import { Command } from "../parts/command.tsx";
import { DataTable } from "../parts/data-table.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { Time } from "../parts/time.tsx";
import { problemOf, useAnswer } from "../parts/use-answer.ts";
import type { PageProps } from "../page-props.ts";
import { may } from "../session.ts";

type Alert = Answer<"anomalies.list">["alerts"][number];

const DAY_MS = 86_400_000;
const DAYS = 30;

export function SecurityPage({ present }: PageProps): ReactNode {
  return (
    <>
      {may(present, "incidents.list") && <Incidents />}
      {may(present, "anomalies.list") && <Alerts canAnswer={may(present, "anomalies.answer")} />}
      {may(present, "leaks.list") && <Leaks />}
    </>
  );
}

function Incidents(): ReactNode {
  const { value, problem } = useAnswer("incidents", (signal) => call("incidents.list", {}, signal));
  return (
    <section aria-label="Incidents">
      <h2>Incidents</h2>
      <ProblemNote problem={problem} />
      {value && (
        <DataTable
          caption="Incidents"
          rows={value.incidents}
          keyOf={({ id }) => id}
          empty={<p>No key leaked, as far as is known.</p>}
          columns={[
            { name: "State", show: ({ state }) => <span className={`state ${state}`}>{state}</span> },
            { name: "Key", show: ({ keyId, keyName }) => <a href={placeText(`keys/${keyId}`)}>{keyName}</a> },
            { name: "Environment", show: ({ environment }) => environment },
            { name: "Opened", show: ({ openedAt }) => <Time at={openedAt} /> },
            { name: "By", show: ({ openedBy }) => openedBy },
            { name: "Reason", show: ({ reason }) => reason ?? "–" },
            { name: "Incident", show: ({ id }) => <a href={placeText(`incidents/${id}`)}>{id}</a> },
          ]}
        />
      )}
    </section>
  );
}

function Alerts({ canAnswer }: { readonly canAnswer: boolean }): ReactNode {
  const { value, problem, again } = useAnswer("alerts", (signal) =>
    call("anomalies.list", { query: { since: Date.now() - DAYS * DAY_MS, limit: 200 } }, signal),
  );
  const [failure, setFailure] = useState<CallProblem>();
  const answer = (alert: string, verdict: "false_alarm" | "confirmed"): void =>
    void call("anomalies.answer", { body: { alert, verdict } }).then(
      () => (setFailure(undefined), again()),
      (cause: unknown) => setFailure(problemOf(cause)),
    );
  return (
    <section aria-label="Alerts">
      <h2>Alerts of {DAYS} days</h2>
      <ProblemNote problem={failure ?? problem} />
      {value && (
        <DataTable
          caption="Alerts"
          rows={value.alerts}
          keyOf={({ alert }) => alert}
          empty={<p>Nothing unusual was noticed.</p>}
          columns={[
            { name: "When", show: ({ at }) => <Time at={at} /> },
            { name: "Key", show: ({ key }) => <a href={placeText(`keys/${key}`)}>{key}</a> },
            { name: "Environment", show: ({ environment }) => environment },
            { name: "What", show: ({ says, factors }) => (<>{says}{factors.length > 0 && <ul>{factors.map((one) => <li key={one}>{one}</li>)}</ul>}</>) },
            { name: "Done", show: ({ action }) => action },
            { name: "Until", show: ({ activeUntil }) => <Time at={activeUntil} never="–" /> },
            { name: "Your answer", show: (alert) => <Answers of={alert} canAnswer={canAnswer} onAnswer={answer} /> },
          ]} // prettier-ignore
        />
      )}
    </section>
  );
}

interface AnswersProps {
  readonly of: Alert;
  readonly canAnswer: boolean;
  readonly onAnswer: (alert: string, verdict: "false_alarm" | "confirmed") => void;
}

function Answers({ of: { alert, isAnswered }, canAnswer, onAnswer }: AnswersProps): ReactNode {
  if (isAnswered) return "answered";
  if (!canAnswer) return "–";
  return (
    <>
      <button type="button" className="small" onClick={() => onAnswer(alert, "confirmed")}>
        Confirm
      </button>{" "}
      <button type="button" className="small" onClick={() => onAnswer(alert, "false_alarm")}>
        False alarm
      </button>
    </>
  );
}

function Leaks(): ReactNode {
  const { value, problem } = useAnswer("leaks", (signal) => call("leaks.list", { query: { limit: 100 } }, signal));
  return (
    <section aria-label="Leaks">
      <h2>Leak reports</h2>
      <ProblemNote problem={problem} />
      {value && (
        <DataTable
          caption="Leak reports"
          rows={value.leaks}
          keyOf={({ receipt }) => String(receipt)}
          empty={
            <p>
              No key was reported or found in traffic. <Command text="sallyport scan ." />
            </p>
          }
          columns={[
            { name: "When", show: ({ at }) => <Time at={at} /> },
            { name: "What", show: ({ type }) => <code>{type}</code> },
            { name: "Keys", show: ({ keyIds }) => (keyIds.length === 0 ? "–" : keyIds.join(", ")) },
            { name: "By", show: ({ by }) => by },
            { name: "Where", show: ({ url, source }) => url ?? source ?? "–" },
            { name: "Done", show: ({ action }) => action },
          ]}
        />
      )}
    </section>
  );
}
