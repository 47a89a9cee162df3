/** One line of a review: what was frozen, what is now, and the decision. That it was opened is recorded. */
import { useId, useState } from "react";
import type { FormEvent, ReactNode } from "react";
import type { Answer } from "@sallyport/contract";
import { call } from "../calls.ts";
import type { CallProblem } from "../calls.ts";
import { Modal } from "../parts/modal.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { Time } from "../parts/time.tsx";
import { problemOf, useAnswer } from "../parts/use-answer.ts";

type Line = Answer<"reviews.lines">["lines"][number];
type FullLine = Answer<"reviews.open">;
type Decision = "keep" | "revoke" | "narrow";

interface DecideLineProps {
  readonly review: string;
  readonly line: Line;
  readonly onClose: () => void;
}

export function DecideLine({ review, line, onClose }: DecideLineProps): ReactNode {
  const params = { id: review, line: line.line };
  const { value, problem } = useAnswer(`line ${line.line}`, (signal) => call("reviews.open", { params }, signal));
  const [decision, setDecision] = useState<Decision>();
  const [reason, setReason] = useState("");
  const [failure, setFailure] = useState<CallProblem>();
  const [isBusy, setIsBusy] = useState(false);
  const name = useId();
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (decision === undefined || value === undefined) return;
    setIsBusy(true);
    try {
      // On the version that was shown: a change by another reviewer is a conflict, and not overwritten.
      await call("reviews.decide", { params, body: { decision, reason, version: value.version } });
      onClose();
    } catch (cause) {
      setFailure(problemOf(cause));
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <Modal title={`Line ${line.line}: ${line.name}`} onClose={onClose}>
      <ProblemNote problem={failure ?? problem} />
      {value && (
        <>
          <Evidence of={value} />
          <form onSubmit={(event) => void submit(event)}>
            <fieldset>
              <legend>Decision</legend>
              {(["keep", "narrow", "revoke"] as const).map((one) => (
                <label key={one} className="choice">
                  <input
                    type="radio"
                    name="decision"
                    value={one}
                    disabled={one === "narrow" && value.narrowed === null}
                    checked={decision === one}
                    onChange={() => setDecision(one)}
                  />{" "}
                  {one}
                  {one === "narrow" && value.narrowed !== null && ` to ${value.narrowed}`}
                </label>
              ))}
            </fieldset>
            <p className="field">
              <label htmlFor={name}>Reason</label>
              <input
                id={name}
                required
                maxLength={500}
                value={reason}
                onChange={(event) => setReason(event.target.value)}
              />
            </p>
            <p className="tools">
              <button type="submit" className="main" disabled={isBusy || decision === undefined}>
                Decide
              </button>
            </p>
          </form>
        </>
      )}
    </Modal>
  );
}

function Evidence({ of }: { readonly of: FullLine }): ReactNode {
  const rows: readonly (readonly [string, (moment: FullLine["frozen"]) => ReactNode])[] = [
    ["State", ({ entry }) => entry.state],
    ["Roles", ({ entry }) => entry.roles.join(", ") || "none"],
    ["Permissions", ({ entry }) => entry.permissions.join(", ") || "none"],
    ["Models", ({ entry }) => (entry.models === null ? "as the roles say" : entry.models.join(", ") || "none")],
    ["Owner", ({ entry, evidence }) => `${entry.owner ?? "none"} (${evidence.owner})`],
    ["Issued by", ({ entry }) => entry.issuer ?? "–"],
    ["Last used", ({ evidence }) => <Time at={evidence.lastUsed} />],
    ["Rotated", ({ evidence }) => <Time at={evidence.rotated} />],
    ["Requests, 90 days", ({ evidence }) => evidence.requests ?? "not counted"],
    ["Alerts, 90 days", ({ evidence }) => evidence.anomalies],
  ];
  const moments = of.now === null ? [of.frozen] : [of.frozen, of.now];
  return (
    <div className="scroll" role="region" aria-label="Evidence" tabIndex={0}>
      <table>
        <caption className="unseen">Evidence</caption>
        <thead>
          <tr>
            <th scope="col">Evidence</th>
            <th scope="col">When frozen</th>
            <th scope="col">Now</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, show]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{show(moments[0]!)}</td>
              <td>{moments[1] === undefined ? "gone" : show(moments[1])}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
