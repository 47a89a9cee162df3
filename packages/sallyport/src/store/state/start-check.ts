/**
 * The state is checked when a store is opened: before anything is served if that is quick or the directory was
 * restored, otherwise by a thread next to the server, which stops if a difference is found.
 */
import type { KeyObject } from "node:crypto";
import { Worker } from "node:worker_threads";
import { Problem } from "@sallyport/protocol";
import { checkState, countBoundRows, foreignSchema, stateProblem } from "./check-state.ts";
import type { StateVerdict } from "./check-state.ts";
import type { DataPaths } from "../disk/data-paths.ts";
import { readRestoredMark } from "./restored-mark.ts";
import { openDatabase } from "../disk/sqlite.ts";
import type { StateThreadSetup } from "./state-thread.ts";

/** Read in some 40 ms: a start has half a second until it listens. */
const ROWS_AT_ONCE = 2_000;

export interface StartCheck {
  /** Everything was checked before the start. */
  readonly isDone: boolean;
  /** Checks the rest next to the running server. */
  begin(): void;
  /** Ends the check. */
  stop(): Promise<void>;
}

/** Rejects with `store_unavailable` for a difference that is found at once; later ones are reported. */
export async function prepareStartCheck(
  paths: DataPaths,
  signingKey: KeyObject,
  onDifference: (problem: Problem) => void,
): Promise<StartCheck> {
  const isDone = await checkAtOnce(paths, signingKey);
  const stop = new SharedArrayBuffer(4);
  let thread: Worker | null = null;
  let ended: Promise<unknown> = Promise.resolve();
  return {
    isDone,
    begin() {
      if (isDone) return;
      const setup: StateThreadSetup = { database: paths.database, signingKey, stop };
      thread = new Worker(new URL("./state-thread.js", import.meta.url), { workerData: setup });
      thread.unref();
      const started = thread;
      ended = new Promise((resolve) => started.once("exit", resolve));
      thread.on("message", ({ firstDifference }: StateVerdict) => {
        if (firstDifference) onDifference(stateProblem(firstDifference));
      });
      // What could not be checked is no state to go on with.
      thread.on("error", (cause) =>
        onDifference(new Problem("store_unavailable", `the state could not be checked: ${String(cause)}`)),
      );
    },
    async stop() {
      Atomics.store(new Int32Array(stop), 0, 1);
      // A command that has nothing else to wait for would end before the thread has, with its own end not done.
      thread?.ref();
      await ended;
    },
  };
}

async function checkAtOnce(paths: DataPaths, signingKey: KeyObject): Promise<boolean> {
  const database = openDatabase(paths.database, { isReadOnly: true });
  try {
    const foreign = foreignSchema(database);
    if (foreign) throw stateProblem(foreign);
    if (countBoundRows(database) > ROWS_AT_ONCE && readRestoredMark(paths) === undefined) return false;
    const { firstDifference } = await checkState({ database, signingKey, passesMisshapen: true });
    if (firstDifference) throw stateProblem(firstDifference);
    return true;
  } finally {
    database.close();
  }
}
