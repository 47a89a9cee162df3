/** Entry of the thread that checks a large state after a start: the thread of requests must not wait for that. */
import type { KeyObject } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";
import { checkStateNow } from "./check-state.ts";
import type { StateVerdict } from "./check-state.ts";
import { openDatabase } from "../disk/sqlite.ts";

export interface StateThreadSetup {
  /** Path of the database. */
  readonly database: string;
  /** A handle, which prints nothing of itself. */
  readonly signingKey: KeyObject;
  /**
   * Not 0 if the verdict is no longer needed: a thread that is ended from outside in a query takes the process along.
   */
  readonly stop: SharedArrayBuffer;
}

if (parentPort) {
  const { database: path, signingKey, stop } = workerData as StateThreadSetup;
  const database = openDatabase(path, { isReadOnly: true });
  database.exec("BEGIN");
  const isOver = (): boolean => Atomics.load(new Int32Array(stop), 0) !== 0;
  const verdict: StateVerdict = checkStateNow({ database, signingKey, passesMisshapen: true }, isOver);
  database.exec("COMMIT");
  database.close();
  if (!isOver()) parentPort.postMessage(verdict);
}
