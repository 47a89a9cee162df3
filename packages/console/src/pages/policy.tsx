/** The policy as text: what is in force, what a change would do, and the change. */
import { useEffect, useId, useState } from "react";
import type { ReactNode } from "react";
import type { Answer } from "@sallyport/contract";
import { placeText } from "../address.ts";
import { call } from "../calls.ts";
import { Command } from "../parts/command.tsx";
import { LineDiff } from "../parts/line-diff.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { useAct } from "../parts/use-act.ts";
import { useAnswer } from "../parts/use-answer.ts";
import { may } from "../session.ts";
import type { PageProps } from "../page-props.ts";
import { PolicyHistory } from "./policy-history.tsx";

/** What was planned, so that exactly that is applied. */
interface Planned {
  readonly text: string;
  readonly plan: Answer<"policy.plan">;
}

export function PolicyPage({ present }: PageProps): ReactNode {
  const inForce = useAnswer("policy text", (signal) => call("policy.text", {}, signal));
  const [draft, setDraft] = useState<string>();
  /** Where the draft began: what others change meanwhile is shown beside it. */
  const [base, setBase] = useState<Answer<"policy.text">>();
  const [planned, setPlanned] = useState<Planned>();
  const [said, setSaid] = useState("");
  const [before, setBefore] = useState<string>();
  const { isBusy, problem, run } = useAct(() => undefined);
  const name = useId();
  const { value: now, again } = inForce;
  useEffect(() => setBase((one) => one ?? now), [now]);
  const text = draft ?? base?.text ?? "";
  const isChanged = draft !== undefined && draft !== base?.text;
  const isStale = base !== undefined && now !== undefined && base.text !== now.text;
  const start = (from: string | undefined): void => {
    setDraft(from);
    setPlanned(undefined);
    setBase(now);
  };
  const plan = async (): Promise<void> => {
    setSaid("");
    setPlanned(undefined);
    setPlanned({ text, plan: await call("policy.plan", { body: { text } }) });
  };
  const apply = async ({ text: chosen, plan: { epoch } }: Planned): Promise<void> => {
    try {
      const done = await call("policy.apply", { body: { text: chosen, expectEpoch: epoch } });
      const present = await call("policy.text");
      setSaid(`Applied: ${done.changes.length} ${done.changes.length === 1 ? "change" : "changes"}.`);
      setBefore(now?.text);
      setBase(present);
      setDraft(undefined);
      setPlanned(undefined);
    } finally {
      again();
    }
  };
  return (
    <>
      <ProblemNote problem={inForce.problem} />
      {base?.isPart && (
        <p className="note">
          These are only the environments that you administer. To apply a file takes the right to all of them.
        </p>
      )}
      {isStale && now && base && (
        <section className="note" aria-label="Changed by others">
          <p>
            <strong>The policy was changed since this text was opened.</strong> Your text is unchanged. Plan it to see
            what it would do now, or discard it.
          </p>
          <LineDiff label="What was changed" from={base.text} to={now.text} />
          <p className="tools">
            <button type="button" onClick={() => (setBase(now), setPlanned(undefined))}>
              Keep my text
            </button>
            <button type="button" onClick={() => start(undefined)}>
              Discard my text
            </button>
          </p>
        </section>
      )}
      <label htmlFor={name}>Policy file (YAML)</label>
      <textarea
        id={name}
        className="policy mono"
        rows={24}
        spellCheck={false}
        readOnly={!may(present, "policy.plan")}
        value={text}
        onChange={(event) => (setDraft(event.target.value), setPlanned(undefined), setSaid(""))}
      />
      <ProblemNote problem={problem} />
      {said !== "" && <p role="status">{said}</p>}
      <p className="tools">
        {may(present, "policy.plan") && (
          <button
            type="button"
            className={planned ? undefined : "main"}
            disabled={isBusy || !isChanged}
            onClick={() => run(plan)}
          >
            Plan the change
          </button>
        )}
        {isChanged && (
          <button type="button" disabled={isBusy} onClick={() => start(undefined)}>
            Discard
          </button>
        )}
        {before !== undefined && !isChanged && (
          <button type="button" onClick={() => start(before)}>
            Put back what was before
          </button>
        )}
      </p>
      {planned && (
        <section aria-label="Plan">
          <h2>Plan</h2>
          {planned.plan.changes.length === 0 && <p>The text changes nothing.</p>}
          {planned.plan.changes.length > 0 && (
            <>
              <ul className="plan mono">
                {planned.plan.changes.map((change) => (
                  <li key={change}>{change}</li>
                ))}
              </ul>
              {base && <LineDiff label="Lines that change" from={base.text} to={planned.text} />}
              <p className="quiet">
                Tests in the file were run, and passed. What a quota would have denied:{" "}
                <Command text="sallyport limits replay requests.jsonl --policy policy.yaml" />
              </p>
              {may(present, "policy.apply") && (
                <p className="tools">
                  <button type="button" className="main" disabled={isBusy} onClick={() => run(() => apply(planned))}>
                    Apply{" "}
                    {planned.plan.changes.length === 1 ? "this change" : `these ${planned.plan.changes.length} changes`}
                  </button>
                </p>
              )}
            </>
          )}
        </section>
      )}
      <p className="quiet">
        Members and their meaning: <code>docs/reference/policy.md</code>. The same in a terminal:{" "}
        <Command text="sallyport policy export" /> <Command text="sallyport apply -f policy.yaml" />
      </p>
      {may(present, "audit.search") && <PolicyHistory shownAt={now?.epoch} />}
      <p>
        <a href={placeText("access/explain")}>May a key do a request?</a>
      </p>
    </>
  );
}
