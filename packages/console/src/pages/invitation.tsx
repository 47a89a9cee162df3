/** An invitation for a person to log in: its code is shown once. */
import { useState } from "react";
import type { ReactNode } from "react";
import type { Answer } from "@sallyport/contract";
import { call } from "../calls.ts";
import { Command } from "../parts/command.tsx";
import { Modal } from "../parts/modal.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { Time } from "../parts/time.tsx";
import { useAct } from "../parts/use-act.ts";

interface InvitationProps {
  readonly of: { readonly id: string; readonly name: string };
  readonly says: string;
  readonly onClose: () => void;
}

export function Invitation({ of, says, onClose }: InvitationProps): ReactNode {
  const [made, setMade] = useState<Answer<"principals.invite">>();
  const { isBusy, problem, run } = useAct(() => undefined);
  const invite = async (): Promise<void> => setMade(await call("principals.invite", { params: { id: of.id } }));
  return (
    <Modal title={`Invite ${of.name}`} onClose={onClose}>
      {made === undefined ? (
        <>
          <p>{says}</p>
          <ProblemNote problem={problem} />
          <p className="tools">
            <button type="button" className="main" disabled={isBusy} onClick={() => run(invite)}>
              Invite
            </button>
          </p>
          <p className="quiet">
            The same in a terminal: <Command text={`sallyport people invite ${of.id}`} />
          </p>
        </>
      ) : (
        <div className="note">
          <p>
            <strong>Give this code to {of.name} now.</strong> It is not shown again, and ends{" "}
            <Time at={made.expiresAt} />.
          </p>
          <output className="secret" data-secret>
            {made.code}
          </output>
          <p>
            {made.page === null ? "It is entered on the log-in page of the gateway." : `It is entered at ${made.page}`}
          </p>
        </div>
      )}
    </Modal>
  );
}
