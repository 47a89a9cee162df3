/**
 * The state is checked when a store is opened: before anything is served where that is quick or the directory was
 * restored, otherwise beside the server, which stops where it finds a difference.
 */
import type { KeyObject } from "node:crypto";
import type { Problem } from "@sallyport/protocol";
import { checkState, countBoundRows, stateProblem } from "./check-state.ts";
import type { DataPaths } from "./data-paths.ts";
import { readRestoredMark } from "./restored-mark.ts";
import { openDatabase } from "./sqlite.ts";

/** Read in some 50 ms: a start has half a second until it listens. */
const ROWS_AT_ONCE = 4_000;

export interface StartCheck {
  /** Everything was checked before the start. */
  readonly isDone: boolean;
  /** Ends the check; resolves when it reads no more. */
  stop(): Promise<void>;
}

/** Rejects with `store_unavailable` for a difference that is found at once; later ones are told. */
export async function beginStartCheck(
  paths: DataPaths,
  signingKey: KeyObject,
  onDifference: (problem: Problem) => void,
): Promise<StartCheck> {
  const database = openDatabase(paths.database, { isReadOnly: true });
  const isDone = countBoundRows(database) <= ROWS_AT_ONCE || readRestoredMark(paths) !== undefined;
  let isOver = false;
  const run = async (): Promise<void> => {
    try {
      const check = { database, signingKey, passesMisshapen: true, isOver: () => isOver };
      const { firstDifference } = await checkState(check);
      if (firstDifference && !isOver) throw stateProblem(firstDifference);
    } finally {
      database.close();
    }
  };
  const running = run();
  if (isDone) await running;
  else void running.catch(onDifference);
  return {
    isDone,
    async stop() {
      isOver = true;
      await running.catch(() => undefined);
    },
  };
}
