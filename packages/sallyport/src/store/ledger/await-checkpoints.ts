/** Checkpoints are signed about once a second: what has just been recorded is proved a moment later. */
import { setTimeout as wait } from "node:timers/promises";
import { parseCheckpoint, parseTreeState } from "@sallyport/protocol";
import type { SqlDatabase } from "../disk/sqlite.ts";

const LOOK_MS = 100;
const PATIENCE_MS = 5_000;

/** Resolves when checkpoints cover what the environments' logs held when it was called, or after some seconds with false. */
export async function awaitCheckpoints(database: SqlDatabase, environments: readonly string[]): Promise<boolean> {
  const rows = () => database.prepare("SELECT environment, state, checkpoint FROM log").all();
  const wanted = rows()
    .filter(({ environment }) => environments.includes(String(environment)))
    .map(({ environment, state }) => ({ environment, size: parseTreeState(String(state))?.size ?? 0 }));
  for (let waited = 0; ; waited += LOOK_MS) {
    const signed = new Map(rows().map((row) => [row["environment"], parseCheckpoint(String(row["checkpoint"]))?.size]));
    if (wanted.every(({ environment, size }) => (signed.get(environment!) ?? 0) >= size)) return true;
    if (waited >= PATIENCE_MS) return false;
    await wait(LOOK_MS);
  }
}
