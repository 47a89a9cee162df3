/** Keys that may do more than they use: what would be left, what recorded requests that would have denied, and the change. */
import { useState } from "react";
import type { ReactNode } from "react";
import type { Answer } from "@sallyport/contract";
import { placeText } from "../address.ts";
import { call } from "../calls.ts";
import { Command } from "../parts/command.tsx";
import { Confirm } from "../parts/confirm.tsx";
import { DataTable } from "../parts/data-table.tsx";
import { EnvironmentFilter } from "../parts/environment-filter.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { Time } from "../parts/time.tsx";
import { useAct } from "../parts/use-act.ts";
import { useAnswer } from "../parts/use-answer.ts";
import { useEnvironments } from "../parts/use-environments.ts";
import { may } from "../session.ts";
import type { Presence } from "../session.ts";
import { count } from "../words.ts";
import type { PageProps } from "../page-props.ts";

const EVERY_MS = 1_000;
type Plan = Answer<"rightsizing.planned">["plans"][number];
type Sized = Answer<"rightsizing.list">["rightsizings"][number];
type Act = "shadow" | "apply" | "stop";

interface Asked {
  readonly act: Act;
  readonly of: Plan | Sized;
}

const ACTS = {
  shadow: { verb: "Shadow", says: "For 7 days the requests of the key are compared with the narrower scope. Nothing is denied." },
  apply: { verb: "Narrow", says: "The key can do only this from now on. The first request that is denied for this reason alone takes it back." },
  stop: { verb: "Stop", says: "A shadow ends; an applied boundary is taken back, and the key has its whole scope again." },
} as const satisfies Record<Act, { verb: string; says: string }>; // prettier-ignore

export function RightsizingPage({ place, present }: PageProps): ReactNode {
  const { environment } = place.filters;
  const environments = useEnvironments();
  const [isRunning, setIsRunning] = useState(false);
  const [turn, setTurn] = useState(0);
  const planned = useAnswer(
    `plan ${turn}`,
    async (signal) => {
      const plan = await call("rightsizing.planned", { query: { limit: 200 } }, signal);
      setIsRunning(plan.state === "running");
      return plan;
    },
    isRunning ? EVERY_MS : undefined,
  );
  const sized = useAnswer(`sized ${environment ?? ""} ${turn}`, (signal) =>
    call("rightsizing.list", { query: { environment, limit: 200 } }, signal),
  );
  const [asked, setAsked] = useState<Asked>();
  const again = (): void => (setAsked(undefined), setTurn((one) => one + 1));
  const { isBusy, problem, run } = useAct(() => (setIsRunning(true), setTurn((one) => one + 1)));
  return (
    <>
      <p>
        What keys use is counted for 400 days. A plan proposes the narrowest scope with a margin for rare work, and
        makes every recorded decision again under it.
      </p>
      <div className="tools">
        <EnvironmentFilter place={{ path: "access/rightsizing", filters: place.filters }} environments={environments} />
        <button
          type="button"
          className="main"
          disabled={isBusy || isRunning}
          onClick={() => run(() => call("rightsizing.plan", { body: { environment } }))}
        >
          Make a plan
        </button>
      </div>
      <ProblemNote problem={problem ?? planned.problem ?? sized.problem} />
      {planned.value && <Plans of={planned.value} present={present} onAsk={setAsked} />}
      {sized.value && (
        <section aria-label="Right-sized keys">
          <h2>Right-sized keys</h2>
          <DataTable
            caption="Right-sized keys"
            rows={sized.value.rightsizings}
            keyOf={({ key }) => key}
            empty={<p>No key is right-sized yet.</p>}
            columns={[
              { name: "Key", show: (one) => <KeyLink id={one.key} name={one.keyName} /> },
              { name: "State", show: ({ state, end }) => (end === null ? state : `${end.why.replace("_", " ")} by ${end.by}`) },
              { name: "Scope", show: ({ boundary }) => scopeText(boundary) },
              { name: "Until", show: ({ until }) => <Time at={until} /> },
              { name: "Compared", show: ({ compared }) => count(compared), isNumber: true },
              { name: "Would be denied", show: ({ differences }) => count(differences), isNumber: true },
              { name: "Acts", show: (one) => one.end === null && (["apply", "stop"] as const).filter((act) => act === "stop" || one.state === "shadow").map((act) => <Button key={act} act={act} of={one} present={present} onAsk={setAsked} />) },
            ]} // prettier-ignore
          />
        </section>
      )}
      {asked && (
        <Confirm
          title={`${ACTS[asked.act].verb} ${asked.of.keyName ?? asked.of.key}?`}
          verb={ACTS[asked.act].verb}
          says={ACTS[asked.act].says}
          command={`sallyport rightsize ${asked.act} ${asked.of.key}`}
          isDangerous={asked.act === "apply"}
          change={() => call(`rightsizing.${asked.act}`, { body: { keyId: asked.of.key } })}
          onDone={again}
          onClose={() => setAsked(undefined)}
        />
      )}
    </>
  );
}

interface PlansProps {
  readonly of: Answer<"rightsizing.planned">;
  readonly present: Presence;
  readonly onAsk: (asked: Asked) => void;
}

function Plans({ of, present, onAsk }: PlansProps): ReactNode {
  if (of.state === "idle") return <p className="quiet">No plan yet.</p>;
  if (of.state === "running")
    return (
      <p role="status">
        <label>
          Making recorded decisions again: {count(of.records)} of {count(of.total)} records{" "}
          <progress max={Math.max(1, of.total)} value={of.records} />
        </label>
      </p>
    );
  if (of.state === "failed") return <p className="note wrong">{of.failure}</p>;
  return (
    <section aria-label="Plan">
      <h2>Plan</h2>
      <DataTable
        caption="What is proposed"
        rows={of.plans}
        keyOf={({ key }) => key}
        empty={
          <p>
            No key that can be narrowed. <Command text="sallyport rightsize plan" />
          </p>
        }
        columns={[
          { name: "Key", show: (one) => <KeyLink id={one.key} name={one.keyName} /> },
          { name: "Environment", show: ({ environment }) => environment },
          { name: "Now", show: ({ before }) => scopeText(before) },
          { name: "Proposed", show: ({ after, reason }) => (after === null ? <span className="quiet">{reason}</span> : scopeText(after)) },
          { name: "Would deny", show: ({ wouldDeny, of: all }) => `${count(wouldDeny)} of ${count(all)}`, isNumber: true },
          { name: "Examples", show: ({ examples }) => <ul className="plain">{examples.map(({ request, demanded, at }) => <li key={request}>{demanded}, <Time at={at} /></li>)}</ul> },
          { name: "Acts", show: (one) => one.after !== null && (["shadow", "apply"] as const).map((act) => <Button key={act} act={act} of={one} present={present} onAsk={onAsk} />) },
        ]} // prettier-ignore
      />
      {of.isTruncated && <p className="quiet">There are more keys than one plan holds: choose an environment.</p>}
    </section>
  );
}

interface ButtonProps extends Pick<PlansProps, "present" | "onAsk"> {
  readonly act: Act;
  readonly of: Plan | Sized;
}

function Button({ act, of, present, onAsk }: ButtonProps): ReactNode {
  if (!may(present, `rightsizing.${act}`)) return null;
  const { verb } = ACTS[act];
  return (
    <button
      type="button"
      className="small"
      aria-label={`${verb}: ${of.keyName ?? of.key}`}
      onClick={() => onAsk({ act, of })}
    >
      {verb}
    </button>
  );
}

function KeyLink({ id, name }: { readonly id: string; readonly name: string | null }): ReactNode {
  return <a href={placeText(`keys/${id}`)}>{name ?? id}</a>;
}

function scopeText(grants: Sized["boundary"]): string {
  return grants
    .map(({ permissions, models }) => permissions.join(", ") + (models === null ? "" : ` on ${models.join(", ")}`))
    .join("; ");
}
