/** How an incident ends: the key is revoked, replaced, or works again. */
import { useState } from "react";
import type { ReactNode } from "react";
import { call } from "../calls.ts";
import { Command } from "../parts/command.tsx";
import { Field } from "../parts/field.tsx";
import { Modal } from "../parts/modal.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { ShownSecret } from "../parts/shown-secret.tsx";
import { useAct } from "../parts/use-act.ts";

const OUTCOMES = [
  ["revoke", "Revoke the key", ""],
  ["reissue", "Revoke it, and make another with the same rights", " --reissue"],
  ["false_alarm", "It did not leak: it works again", " --false-alarm"],
] as const;

interface CloseIncidentProps {
  readonly id: string;
  readonly keyName: string;
  readonly onClose: () => void;
}

export function CloseIncident({ id, keyName, onClose }: CloseIncidentProps): ReactNode {
  const [outcome, setOutcome] = useState<(typeof OUTCOMES)[number][0]>("revoke");
  const [note, setNote] = useState("");
  const [secret, setSecret] = useState<string>();
  const { isBusy, problem, run } = useAct(() => undefined);
  const close = async (): Promise<void> => {
    const body = { outcome, ...(note.trim() !== "" && { note: note.trim() }) };
    const { issued } = await call("incidents.close", { params: { id }, body });
    if (issued?.key === undefined) onClose();
    else setSecret(issued.key);
  };
  const flag = OUTCOMES.find(([name]) => name === outcome)![2];
  return (
    <Modal title={`Close the incident of ${keyName}`} onClose={onClose}>
      {secret === undefined ? (
        <form onSubmit={(event) => (event.preventDefault(), run(close))}>
          <fieldset>
            <legend>Outcome</legend>
            {OUTCOMES.map(([name, says]) => (
              <label key={name} className="choice">
                <input type="radio" name="outcome" checked={outcome === name} onChange={() => setOutcome(name)} />{" "}
                {says}
              </label>
            ))}
          </fieldset>
          <Field label="Note" hint="is kept in the audit log">
            {(name) => (
              <input id={name} maxLength={500} value={note} onChange={(event) => setNote(event.target.value)} />
            )}
          </Field>
          <ProblemNote problem={problem} />
          <p className="tools">
            <button type="submit" className={outcome === "false_alarm" ? "main" : "danger"} disabled={isBusy}>
              Close the incident
            </button>
          </p>
          <p className="quiet">
            The same in a terminal: <Command text={`sallyport incident close ${id}${flag}`} />
          </p>
        </form>
      ) : (
        <ShownSecret text={secret} />
      )}
    </Modal>
  );
}
