/** What is used, what needs a person and what to do, in ten seconds. */
import type { ReactNode } from "react";
import { placeText } from "../address.ts";
import { call } from "../calls.ts";
import { Command } from "../parts/command.tsx";
import { DataTable } from "../parts/data-table.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { useAnswer } from "../parts/use-answer.ts";
import { risks } from "../risks.ts";
import { may } from "../session.ts";
import { count, duration } from "../words.ts";
import type { PageProps } from "../page-props.ts";

const EVERY_MS = 5_000;
const DAYS = 7;
const DAY_MS = 86_400_000;

export function OverviewPage({ present }: PageProps): ReactNode {
  const status = useAnswer("status", (signal) => call("status", {}, signal), EVERY_MS);
  return (
    <>
      <ProblemNote problem={status.problem} />
      {status.value && (
        <section className="cards" aria-label="Now">
          <Card title="Running" value={count(status.value.running)} href={placeText("live")} />
          <Card title="Waiting" value={count(status.value.queued)} href={placeText("live")} />
          <Card title="Keys" value={count(status.value.keys)} href={placeText("keys")} />
          <Card
            title="Open incidents"
            value={count(status.value.openIncidents)}
            href={placeText("security")}
            isWrong={status.value.openIncidents > 0}
          />
        </section>
      )}
      {status.value?.isStoreWritable === false && (
        <div className="note wrong" role="alert">
          The audit log cannot be written: the gateway serves no requests. <Command text="sallyport doctor" />
        </div>
      )}
      {status.value?.environments.length === 0 && (
        <div className="note">
          No environment yet. <Command text="sallyport apply -f policy.yaml" />
        </div>
      )}
      {may(present, "findings") && <Risks />}
      {may(present, "usage.list") && <Week />}
    </>
  );
}

interface CardProps {
  readonly title: string;
  readonly value: string;
  readonly href: string;
  readonly isWrong?: boolean;
}

function Card({ title, value, href, isWrong = false }: CardProps): ReactNode {
  return (
    <a className={isWrong ? "card wrong" : "card"} href={href}>
      <span className="value">{value}</span>
      <span>{title}</span>
    </a>
  );
}

function Risks(): ReactNode {
  const { value, problem } = useAnswer("findings", (signal) =>
    call("findings", { query: { status: "open", limit: 1_000 } }, signal),
  );
  if (!value) return <ProblemNote problem={problem} />;
  const open = value.findings.filter(({ state }) => state !== "ok");
  const wrong = open.filter(({ state }) => state === "wrong");
  const more = value.next === null ? "" : "+";
  return (
    <section aria-label="What needs a person">
      <h2>What needs a person</h2>
      <div className="cards">
        {risks.map(({ name, title, codes }) => {
          const found = open.filter(({ code }) => codes.has(code)).length;
          return (
            <Card key={name} title={title} value={`${found}${more}`} href={placeText("findings", { risk: name })} />
          );
        })}
        <Card
          title="Wrong"
          value={`${wrong.length}${more}`}
          href={placeText("findings", { state: "wrong" })}
          isWrong={wrong.length > 0}
        />
      </div>
    </section>
  );
}

function Week(): ReactNode {
  const { value, problem } = useAnswer("week", (signal) =>
    call("usage.list", { query: { by: "day", since: Date.now() - (DAYS - 1) * DAY_MS } }, signal),
  );
  if (!value) return <ProblemNote problem={problem} />;
  const most = Math.max(1, ...value.rows.map(({ requests }) => requests));
  return (
    <section aria-label="Last 7 days">
      <h2>Last 7 days</h2>
      <DataTable
        caption="Requests of the last 7 days"
        rows={value.rows}
        keyOf={({ day }) => day ?? ""}
        empty={<p>No requests yet. Create a key, then send the first one.</p>}
        columns={[
          { name: "Day (UTC)", show: ({ day }) => day },
          { name: "Requests", show: ({ requests }) => count(requests), isNumber: true },
          { name: "Denied", show: ({ denied }) => count(denied), isNumber: true },
          { name: "Compute", show: ({ computeMs }) => duration(computeMs), isNumber: true },
          {
            name: "Of the busiest day",
            show: ({ day, requests }) => <meter max={most} value={requests} aria-label={`requests on ${day}`} />,
          },
        ]}
      />
    </section>
  );
}
