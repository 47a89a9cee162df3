/** A change that is asked for once at a time: what is shown afterwards is what the gateway answered. */
import { useState } from "react";
import type { CallProblem } from "../calls.ts";
import { problemOf } from "./use-answer.ts";

export interface Act {
  readonly isBusy: boolean;
  /** Why the last attempt failed; undefined if it did not. */
  readonly problem: CallProblem | undefined;
  readonly run: (change: () => Promise<unknown>) => void;
}

export function useAct(onDone: () => void): Act {
  const [isBusy, setIsBusy] = useState(false);
  const [problem, setProblem] = useState<CallProblem>();
  const run = (change: () => Promise<unknown>): void => {
    if (isBusy) return;
    setIsBusy(true);
    setProblem(undefined);
    change()
      .then(onDone, (cause: unknown) => setProblem(problemOf(cause)))
      .finally(() => setIsBusy(false));
  };
  return { isBusy, problem, run };
}
