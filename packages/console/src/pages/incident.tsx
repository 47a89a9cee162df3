/** One incident: what was done with the key, from where, and how it ends. */
import { useState } from "react";
import type { ReactNode } from "react";
import type { Answer } from "@sallyport/contract";
import { placeText } from "../address.ts";
import { call } from "../calls.ts";
import { Command } from "../parts/command.tsx";
import { DataTable } from "../parts/data-table.tsx";
import { Facts } from "../parts/facts.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { saveFile } from "../parts/save-file.ts";
import { Time } from "../parts/time.tsx";
import { useAct } from "../parts/use-act.ts";
import { useAnswer } from "../parts/use-answer.ts";
import { may } from "../session.ts";
import { count } from "../words.ts";
import type { PageProps } from "../page-props.ts";
import { CloseIncident } from "./close-incident.tsx";

type Radius = Answer<"incidents.radius">["radius"];
type Counts = Radius["models"];

export function IncidentPage({ place, present }: PageProps): ReactNode {
  const id = place.path.slice("incidents/".length);
  const { value, problem, again } = useAnswer(`incident ${id}`, (signal) =>
    call("incidents.radius", { params: { id } }, signal),
  );
  const [isClosing, setIsClosing] = useState(false);
  return (
    <>
      <p>
        <a href={placeText("security")}>All incidents</a>
      </p>
      <ProblemNote problem={problem} />
      {value && (
        <>
          <Facts
            of={[
              ["State", <span key="state" className={`state ${value.incident.state}`}>{value.incident.state}</span>],
              ["Key", <a key="key" href={placeText(`keys/${value.incident.keyId}`)}>{value.incident.keyName}</a>],
              ["Environment", value.incident.environment],
              ["Owner", value.radius.owner?.name ?? "none"],
              ["Reason", value.incident.reason ?? "–"],
              ["Opened", <><Time key="opened" at={value.incident.openedAt} /> by {value.incident.openedBy}</>],
              ["Counted from", <Time key="from" at={value.radius.from} />],
              ["Requests", `${count(value.radius.requests.served)} served, ${count(value.radius.requests.refused)} denied`],
              ["Tokens", `${count(value.radius.requests.inputTokens)} in, ${count(value.radius.requests.outputTokens)} out`],
              ...(value.incident.closed ? [["Closed", <><Time key="closed" at={value.incident.closed.at} /> by {value.incident.closed.by}: {value.incident.closed.outcome.replace("_", " ")}{value.incident.closed.note && `, ${value.incident.closed.note}`}</>] as const] : []),
            ]} // prettier-ignore
          />
          <div className="tools">
            {value.incident.state === "open" && may(present, "incidents.close") && (
              <button type="button" className="main" onClick={() => setIsClosing(true)}>
                Close the incident
              </button>
            )}
            <Report id={id} />
          </div>
          <Evidence of={value.radius} />
          {isClosing && (
            <CloseIncident id={id} keyName={value.incident.keyName} onClose={() => (setIsClosing(false), again())} />
          )}
        </>
      )}
    </>
  );
}

function Evidence({ of }: { readonly of: Radius }): ReactNode {
  return (
    <>
      <section aria-label="Addresses">
        <h2>From where</h2>
        <DataTable
          caption="Addresses that used the key"
          rows={of.addresses.rows}
          keyOf={({ address }) => address}
          empty={<p>No request is recorded.</p>}
          columns={[
            { name: "Address", show: ({ address }) => <code>{address}</code> },
            { name: "Network", show: ({ address }) => of.networks[address] ?? "–" },
            { name: "First", show: ({ firstAt }) => <Time at={firstAt} /> },
            { name: "Last", show: ({ lastAt }) => <Time at={lastAt} /> },
            { name: "Requests", show: ({ requests }) => count(requests), isNumber: true },
            { name: "Denied", show: ({ refused }) => count(refused), isNumber: true },
            { name: "Before", show: ({ earlier }) => count(earlier), isNumber: true },
          ]}
        />
      </section>
      <section aria-label="What was asked for">
        <h2>What was asked for</h2>
        <Counted title="Models" of={of.models} />
        <Counted title="Endpoints" of={of.endpoints} />
        <Counted title="Programs" of={of.programs} />
        <Counted title="Denials" of={of.codes} />
      </section>
      <section aria-label="Timeline">
        <h2>Timeline</h2>
        <DataTable
          caption="Timeline"
          rows={of.timeline.marks}
          keyOf={({ at, kind, says }) => `${at} ${kind} ${says}`}
          empty={<p>Nothing happened to the key or its owner in this time.</p>}
          columns={[
            { name: "When", show: ({ at }) => <Time at={at} /> },
            { name: "What", show: ({ kind }) => kind },
            { name: "Details", show: ({ says }) => says },
          ]}
        />
      </section>
    </>
  );
}

function Counted({ title, of: { rows, others } }: { readonly title: string; readonly of: Counts }): ReactNode {
  if (rows.length === 0) return null;
  return (
    <DataTable
      caption={title}
      rows={[...rows, ...(others > 0 ? [{ name: "others", count: others }] : [])]}
      keyOf={({ name }) => name}
      empty={null}
      columns={[
        { name: title, show: ({ name }) => <span className="mono">{name}</span> },
        { name: "Times", show: (row) => count(row.count), isNumber: true },
      ]}
    />
  );
}

/** The report is one HTML file that loads nothing; it is kept, and not shown inside the console. */
function Report({ id }: { readonly id: string }): ReactNode {
  const { isBusy, problem, run } = useAct(() => undefined);
  const save = async (): Promise<void> => {
    const { html } = await call("incidents.report", { params: { id } });
    saveFile(`${id}.html`, html, "text/html");
  };
  return (
    <>
      <button type="button" disabled={isBusy} onClick={() => run(save)}>
        Save the report
      </button>
      <Command text={`sallyport incident report ${id}`} />
      <ProblemNote problem={problem} />
    </>
  );
}
