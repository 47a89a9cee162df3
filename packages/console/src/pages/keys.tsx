/** Keys, a page of a hundred at a time: what they are, who has them, when they end, whether they are used. */
import { useEffect, useState } from "react";
import type { ReactNode } from "react";
import type { Answer } from "@sallyport/contract";
import { go, placeText } from "../address.ts";
import { call } from "../calls.ts";
import { Command } from "../parts/command.tsx";
import { DataTable } from "../parts/data-table.tsx";
import type { Column } from "../parts/data-table.tsx";
import { EnvironmentFilter } from "../parts/environment-filter.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { Time } from "../parts/time.tsx";
import { useAnswer } from "../parts/use-answer.ts";
import { useEnvironments } from "../parts/use-environments.ts";
import { may } from "../session.ts";
import { count } from "../words.ts";
import type { PageProps } from "../page-props.ts";

const PAGE = 100;
type ListedKey = Answer<"keys.list">["keys"][number];

export function KeysPage({ place, present }: PageProps): ReactNode {
  const { environment, after } = place.filters;
  const environments = useEnvironments();
  const page = useAnswer(`keys ${environment ?? ""} ${after ?? ""}`, (signal) =>
    call("keys.list", { query: { environment, after, limit: PAGE } }, signal),
  );
  return (
    <>
      <div className="tools">
        <EnvironmentFilter place={{ path: "keys", filters: after ? {} : place.filters }} environments={environments} />
        <FindById />
        {may(present, "keys.create") && (
          <a className="button" href={placeText("keys/new", { environment })}>
            New key
          </a>
        )}
      </div>
      <ProblemNote problem={page.problem} />
      {page.value && (
        <DataTable
          caption="Keys"
          rows={page.value.keys}
          columns={COLUMNS}
          keyOf={({ environment: of, id }) => `${of}/${id}`}
          empty={
            <p>
              No keys yet. <Command text="sallyport keys create my-app --model llama3.2" />
            </p>
          }
        />
      )}
      <div className="tools">
        {after && (
          <button type="button" onClick={() => go("keys", { environment })}>
            First page
          </button>
        )}
        {page.value?.next && (
          <button type="button" onClick={() => go("keys", { environment, after: page.value!.next! })}>
            Next page
          </button>
        )}
      </div>
    </>
  );
}

function FindById(): ReactNode {
  const [id, setId] = useState("");
  return (
    <form
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        // A whole key is never sent: its id is the third part.
        const found = /^sp[a-z]?_[a-z0-9]+_([0-9A-Za-z]{12})/.exec(id.trim())?.[1] ?? id.trim();
        setId("");
        if (found !== "") go(`keys/${found}`);
      }}
    >
      <label>
        Key id{" "}
        <input value={id} onChange={(event) => setId(event.target.value)} autoComplete="off" spellCheck={false} />
      </label>
      <button type="submit">Find</button>
    </form>
  );
}

const COLUMNS: readonly Column<ListedKey>[] = [
  {
    name: "Name",
    show: ({ id, name }) => (
      <a href={placeText(`keys/${id}`)}>
        {name} <span className="quiet mono">{id}</span>
      </a>
    ),
  },
  { name: "Environment", show: ({ environment }) => environment },
  { name: "State", show: (key) => <State of={key} /> },
  { name: "Owner", show: ({ ownerName, owner }) => ownerName ?? owner ?? <span className="quiet">none</span> },
  { name: "Expires", show: ({ expiresAt }) => <Time at={expiresAt} /> },
  { name: "Age", show: (key) => <Age of={key} /> },
  { name: "Last used", show: ({ lastUsedAt }) => <Time at={lastUsedAt} /> },
  { name: "Requests, 30 days", show: ({ recentRequests }) => count(recentRequests), isNumber: true },
];

export function State({ of }: { readonly of: Pick<ListedKey, "state" | "isExpired" | "reason"> }): ReactNode {
  const state = of.state === "active" && of.isExpired ? "expired" : of.state;
  return (
    <span className={`state ${state}`} title={of.reason ?? undefined}>
      {state}
    </span>
  );
}

/** How much of its life is over. */
function Age({ of: { name, createdAt, expiresAt } }: { readonly of: ListedKey }): ReactNode {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 60_000);
    return () => clearInterval(timer);
  }, []);
  if (expiresAt === null) return <span className="quiet">no end</span>;
  const [from, to] = [Date.parse(createdAt), Date.parse(expiresAt)];
  const spent = Math.min(1, Math.max(0, (now - from) / (to - from)));
  return (
    <meter max={1} high={0.85} optimum={0} value={spent} aria-label={`part of the life of ${name} that is over`} />
  );
}
