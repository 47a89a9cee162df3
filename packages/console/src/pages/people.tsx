/** People and services, a page of a hundred at a time: who they are, how they log in, and what stops them. */
import { useState } from "react";
import type { ReactNode } from "react";
import type { Answer } from "@sallyport/contract";
import { go, placeText } from "../address.ts";
import { call } from "../calls.ts";
import { Command } from "../parts/command.tsx";
import { Confirm } from "../parts/confirm.tsx";
import { DataTable } from "../parts/data-table.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { useAnswer } from "../parts/use-answer.ts";
import { may } from "../session.ts";
import { namesText } from "../words.ts";
import type { PageProps } from "../page-props.ts";
import { Invitation } from "./invitation.tsx";
import { NewPrincipal } from "./new-principal.tsx";

const PAGE = 100;
const KINDS = ["person", "service"] as const;
type Principal = Answer<"principals.list">["principals"][number];
type Act = "disable" | "enable" | "invite" | "uninvite" | "confirm";

const ACTS = {
  disable: { verb: "Disable", says: "All keys of it stop at once, and running requests are ended. Policy says whether the keys are revoked (onLeave)." },
  enable: { verb: "Enable", says: "Keys that were not revoked or suspended work again." },
  invite: { verb: "Invite", says: "An invitation is a code that works once, for a day: with it the person chooses a password and an authenticator. Earlier ones are removed, and sessions end." },
  uninvite: { verb: "Remove the log-in", says: "The local log-in or invitation is removed, and sessions end." },
  confirm: { verb: "Confirm the log-in", says: "The permissions of the person have grown since the local log-in was made: it works again after this." },
} as const satisfies Record<Act, { verb: string; says: string }>; // prettier-ignore

export function PeoplePage({ place, present }: PageProps): ReactNode {
  const { after, name } = place.filters;
  const kind = KINDS.find((one) => one === place.filters["kind"]);
  const { value, problem, again } = useAnswer(`people ${kind ?? ""} ${name ?? ""} ${after ?? ""}`, (signal) =>
    call("principals.list", { query: { kind, name, after, limit: PAGE } }, signal),
  );
  const [asked, setAsked] = useState<{ readonly act: Act; readonly of: Principal }>();
  const [isNew, setIsNew] = useState(false);
  const [wanted, setWanted] = useState(name ?? "");
  const close = (): void => (setAsked(undefined), setIsNew(false), again());
  return (
    <>
      <div className="tools">
        <label>
          Kind{" "}
          <select
            value={kind ?? ""}
            onChange={(event) => go("access/people", { ...place.filters, after: "", kind: event.target.value })}
          >
            <option value="">all</option>
            {KINDS.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <form
          role="search"
          onSubmit={(event) => (event.preventDefault(), go("access/people", { kind, name: wanted.trim() }))}
        >
          <label>
            Name <input value={wanted} onChange={(event) => setWanted(event.target.value)} spellCheck={false} />
          </label>
          <button type="submit">Find</button>
        </form>
        {may(present, "principals.create") && (
          <button type="button" onClick={() => setIsNew(true)}>
            New person or service
          </button>
        )}
      </div>
      <ProblemNote problem={problem} />
      {value && (
        <DataTable
          caption="People and services"
          rows={value.principals}
          keyOf={({ id }) => id}
          empty={
            <p>
              No person or service yet. <Command text="sallyport people create --name ada --group ml-team" />
            </p>
          }
          columns={[
            { name: "Name", show: (one) => <>{one.name} <span className="quiet mono">{one.id}</span></> },
            { name: "Kind", show: (one) => one.kind },
            { name: "State", show: (one) => <StateOf of={one} /> },
            { name: "Team", show: (one) => one.team ?? "–" },
            { name: "Groups", show: (one) => namesText(one.groups) },
            { name: "Known as", show: (one) => namesText([...(one.userName ? [one.userName] : []), ...one.identities.map(({ subject, issuer }) => `${subject} at ${issuer}`)], "–") },
            { name: "Local log-in", show: ({ localLogin }) => localLogin },
            { name: "What it may do", show: ({ id }) => <a href={placeText("access/assignments", { principal: id })}>Assignments</a> },
            { name: "Acts", show: (one) => actsOf(one).filter((act) => may(present, `principals.${act}`)).map((act) => (
              <button key={act} type="button" className="small" aria-label={`${ACTS[act].verb}: ${one.name}`} onClick={() => setAsked({ act, of: one })}>{ACTS[act].verb}</button>
            )) },
          ]} // prettier-ignore
        />
      )}
      <div className="tools">
        {after && (
          <button type="button" onClick={() => go("access/people", { kind, name })}>
            First page
          </button>
        )}
        {value?.next && (
          <button type="button" onClick={() => go("access/people", { kind, name, after: value.next! })}>
            Next page
          </button>
        )}
      </div>
      {isNew && <NewPrincipal onClose={close} />}
      {asked?.act === "invite" && <Invitation of={asked.of} says={ACTS.invite.says} onClose={close} />}
      {asked && asked.act !== "invite" && (
        <Confirm
          title={`${ACTS[asked.act].verb}: ${asked.of.name}?`}
          verb={ACTS[asked.act].verb}
          says={ACTS[asked.act].says}
          command={`sallyport ${asked.of.kind === "person" ? "people" : "services"} ${asked.act} ${asked.of.id}`}
          isDangerous={asked.act === "disable" || asked.act === "uninvite"}
          change={() => call(`principals.${asked.act}`, { params: { id: asked.of.id } })}
          onDone={close}
          onClose={close}
        />
      )}
    </>
  );
}

function actsOf({ kind, isDisabled, localLogin }: Principal): Act[] {
  const first: Act[] = [isDisabled ? "enable" : "disable"];
  if (kind === "service") return first;
  if (localLogin === "suspended") first.push("confirm");
  return [...first, "invite", ...(localLogin === "none" ? [] : (["uninvite"] as const))];
}

function StateOf({ of }: { readonly of: Principal }): ReactNode {
  if (of.isDisabled) return <span className="state suspended">disabled by {of.disabledBy.join(", ")}</span>;
  if (of.disabledIn) return <span className="state suspended">disabled in {of.disabledIn.join(", ")}</span>;
  return <span className="state active">active</span>;
}
