/** What is shown without a session: how to get one. */
import type { ReactNode } from "react";
import type { CallProblem } from "./calls.ts";
import { Command } from "./parts/command.tsx";
import { ProblemNote } from "./parts/problem-note.tsx";

interface DoorProps {
  readonly problem: CallProblem | undefined;
  readonly onRetry: () => void;
}

export function Door({ problem, onRetry }: DoorProps): ReactNode {
  const isExpected = problem === undefined || problem.code === "credential_missing";
  return (
    <main className="door">
      <h1>Sallyport</h1>
      {!isExpected && <ProblemNote problem={problem} />}
      <p>To open the console, run this command on the gateway's machine, then open the link that it prints:</p>
      <p>
        <Command text="sallyport console" />
      </p>
      <p className="quiet">
        A link works once, within five minutes. With an admin key, the command works from anywhere.
      </p>
      <p>
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      </p>
    </main>
  );
}
