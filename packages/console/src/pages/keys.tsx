/** Keys, a page of a hundred at a time: searched, filtered and sorted by the gateway, with all of that in the address. */
import { useEffect, useRef, useState } from "react";
import type { ReactNode } from "react";
import type { Answer } from "@sallyport/contract";
import { withoutSecret } from "@sallyport/protocol";
import { go, goInstead, placeText } from "../address.ts";
import type { Place } from "../address.ts";
import { call } from "../calls.ts";
import type { Asked } from "../calls.ts";
import { Command } from "../parts/command.tsx";
import { DataTable } from "../parts/data-table.tsx";
import type { Column } from "../parts/data-table.tsx";
import { DayBars } from "../parts/day-bars.tsx";
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

const CHOICES = {
  state: { active: "active", expired: "expired", suspended: "suspended", revoked: "revoked" },
  risk: { expiring: "expires soon", idle: "not used", old_secret: "on the old secret" },
  sort: { name: "name", created: "newest", expires: "expires first", used: "last used" },
} as const;

export function KeysPage({ place, present }: PageProps): ReactNode {
  const { environment, search, state, risk, sort, after } = place.filters;
  const environments = useEnvironments();
  const query = { environment, search, state, risk, sort, after, limit: PAGE } as Asked<"keys.list">["query"] & object;
  const page = useAnswer(`keys ${JSON.stringify(query)}`, (signal) => call("keys.list", { query }, signal));
  const first: Place = { path: "keys", filters: { ...place.filters, after: "" } };
  const isFiltered = [environment, search, state, risk].some(Boolean);
  return (
    <>
      <div className="tools">
        <Search place={first} />
        <EnvironmentFilter place={first} environments={environments} />
        <Choice name="state" label="State" none="all" place={first} />
        <Choice name="risk" label="Risk" none="any" place={first} />
        <Choice name="sort" label="Order" none="environment" place={first} />
        {may(present, "keys.create") && (
          <a className="button" href={placeText("keys/new", { environment })}>
            New key
          </a>
        )}
      </div>
      <ProblemNote problem={page.problem} />
      {page.value?.total && (
        <p className="quiet" role="status">
          {page.value.total.isAtLeast ? "10,000+" : count(page.value.total.count)} keys match
        </p>
      )}
      {page.value && (
        <DataTable
          caption="Keys"
          rows={page.value.keys}
          columns={COLUMNS}
          keyOf={({ environment: of, id }) => `${of}/${id}`}
          empty={
            isFiltered ? (
              <p>No key matches.</p>
            ) : (
              <p>
                No keys yet. <Command text="sallyport keys create my-app --model llama3.2" />
              </p>
            )
          }
        />
      )}
      <div className="tools">
        {after && (
          <button type="button" onClick={() => go("keys", first.filters)}>
            First page
          </button>
        )}
        {page.value?.next && (
          <button type="button" onClick={() => go("keys", { ...place.filters, after: page.value!.next! })}>
            Next page
          </button>
        )}
      </div>
    </>
  );
}

/** A search begins when the person has stopped typing for so long. */
const TYPED_MS = 150;

function Search({ place }: { readonly place: Place }): ReactNode {
  const inAddress = place.filters["search"] ?? "";
  const [text, setText] = useState(inAddress);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => setText(inAddress), [inAddress]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const type = (typed: string): void => {
    clearTimeout(timer.current);
    // A key that was pasted leads to its page.
    const found = withoutSecret(typed);
    if (found !== typed) return go(`keys/${found.trim()}`);
    setText(typed);
    timer.current = setTimeout(() => goInstead("keys", { ...place.filters, search: typed.trim() }), TYPED_MS);
  };
  return (
    <form role="search" onSubmit={(event) => event.preventDefault()}>
      <label>
        Name, id or owner{" "}
        <input
          type="search"
          value={text}
          onChange={({ target }) => type(target.value)}
          autoComplete="off"
          spellCheck={false}
          maxLength={100}
        />
      </label>
    </form>
  );
}

interface ChoiceProps {
  readonly name: keyof typeof CHOICES;
  readonly label: string;
  /** What it is called where nothing is chosen. */
  readonly none: string;
  readonly place: Place;
}

function Choice({ name, label, none, place }: ChoiceProps): ReactNode {
  return (
    <label>
      {label}{" "}
      <select
        value={place.filters[name] ?? ""}
        onChange={({ target }) => go("keys", { ...place.filters, [name]: target.value })}
      >
        <option value="">{none}</option>
        {Object.entries(CHOICES[name]).map(([value, says]) => (
          <option key={value} value={value}>
            {says}
          </option>
        ))}
      </select>
    </label>
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
  {
    name: "State",
    show: (key) => (
      <>
        <State of={key} />
        {key.isOnOldSecret && <span className="state medium">on the old secret</span>}
      </>
    ),
  },
  { name: "Owner", show: ({ ownerName, owner }) => ownerName ?? owner ?? <span className="quiet">none</span> },
  { name: "Expires", show: ({ expiresAt }) => <Time at={expiresAt} /> },
  { name: "Age", show: (key) => <Age of={key} /> },
  { name: "Last used", show: ({ lastUsedAt }) => <Time at={lastUsedAt} /> },
  {
    name: "Requests, 30 days",
    show: ({ name, recentDays, recentRequests }) => (
      <>
        <DayBars days={recentDays} what={`requests with ${name}`} /> {count(recentRequests)}
      </>
    ),
    isNumber: true,
  },
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
