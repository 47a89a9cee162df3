/** Asks before a change is made, says what it does, and names the command that does the same. */
import type { ReactNode } from "react";
import { Command } from "./command.tsx";
import { Modal } from "./modal.tsx";
import { ProblemNote } from "./problem-note.tsx";
import { useAct } from "./use-act.ts";

interface ConfirmProps {
  /** `Disable ada?` */
  readonly title: string;
  /** `Disable`: the button. */
  readonly verb: string;
  readonly says: ReactNode;
  readonly command?: string;
  readonly isDangerous?: boolean;
  readonly change: () => Promise<unknown>;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

export function Confirm({
  title,
  verb,
  says,
  command,
  isDangerous = false,
  change,
  onDone,
  onClose,
}: ConfirmProps): ReactNode {
  const { isBusy, problem, run } = useAct(onDone);
  return (
    <Modal title={title} onClose={onClose}>
      <p>{says}</p>
      <ProblemNote problem={problem} />
      <p className="tools">
        <button type="button" className={isDangerous ? "danger" : "main"} disabled={isBusy} onClick={() => run(change)}>
          {verb}
        </button>
      </p>
      {command !== undefined && (
        <p className="quiet">
          The same in a terminal: <Command text={command} />
        </p>
      )}
    </Modal>
  );
}
