/** Counters of permissions are the fold of the audit log: after a kill, after an edit of the database, and over years. */
import { join } from "node:path";
import { encodeEvent } from "@sallyport/ledger";
import { expect, it } from "vitest";
import { openDatabase, openLedgerReader } from "../program-under-test.ts";
import { DAY_MS, killed, open, START_MS } from "./store-fixture.ts";
import type { Opened } from "./store-fixture.ts";

const KEY = "4fT9wLq2ZbXc";
const LLAMA = "registry.ollama.ai/library/llama3.2:latest";
const TODAY = Math.floor(START_MS / DAY_MS);

function intent(at: number, permissions: readonly string[], model: string | null): string {
  const said = { request: "r", principal: "p", endpoint: "e", permissions, model, upstream: "u", address: "192.0.2.1" };
  return encodeEvent({ type: "request.intent", at, environment: "dev", actor: `key:${KEY}`, fields: said });
}

function denial(at: number): string {
  const said = { request: "r", principal: "p", code: "model_denied", permissions: ["infer:chat"], model: LLAMA };
  return encodeEvent({ type: "request.refused", at, environment: "dev", actor: `key:${KEY}`, fields: said });
}

async function append({ store }: Opened): Promise<void> {
  for (const days of [0, 0, 30]) store.append(intent(START_MS - days * DAY_MS, ["infer:chat"], LLAMA));
  store.append(intent(START_MS, ["models:list"], null));
  store.append(denial(START_MS));
  expect(await store.countUsage()).toBe(true);
}

function historyOf(directory: string) {
  const reader = openLedgerReader(directory);
  try {
    const { keys } = reader.histories([{ environment: "dev", id: KEY }], TODAY - 400);
    return keys[0]!;
  } finally {
    reader.close();
  }
}

const COUNTED = {
  days: 2,
  uses: [
    { permission: "infer:chat", model: LLAMA, used: 3, denied: 1, days: 2, firstAt: START_MS - 30 * DAY_MS, lastAt: START_MS },
    { permission: "models:list", model: "", used: 1, denied: 0, days: 1, firstAt: START_MS, lastAt: START_MS },
  ],
}; // prettier-ignore

it("count what keys used and what they were denied, with the first and the last time", async () => {
  const opened = await open();
  await append(opened);
  expect(historyOf(opened.directory)).toEqual(COUNTED);
});

it("are complete after a kill: what was not written is counted from the audit log", async () => {
  const opened = await open();
  const { store, directory } = opened;
  await append(opened);
  const ticket = store.append(intent(START_MS, ["infer:chat"], LLAMA))!;
  await new Promise<void>((resolve) => store.whenDurable(ticket, () => resolve()));
  // On the disk, and in no counter.
  const copy = killed(directory);
  const again = await open({ directory: copy });
  expect(await again.store.countUsage()).toBe(true);
  expect(historyOf(copy).uses[0]).toMatchObject({ used: 4, denied: 1 });
  await again.store.close();
});

it("that someone changed are found and corrected by a rebuild", async () => {
  const opened = await open();
  const { store, directory } = opened;
  await append(opened);
  const database = openDatabase(join(directory, "sallyport.db"), { isReadOnly: false });
  database.exec("UPDATE permission_use SET count = 99 WHERE denied = 0");
  database.exec("DELETE FROM permission_use WHERE denied = 1");
  database.close();
  const reader = openLedgerReader(directory);
  const { corrections } = await reader.recountUsage(TODAY, () => {});
  reader.close();
  expect(corrections.permissions).toHaveLength(4);
  expect(await store.countUsage(corrections)).toBe(true);
  expect(historyOf(directory)).toEqual(COUNTED);
});

it("are replayed from the audit log: every admitted request of the keys that are asked for, and no denied one", async () => {
  const opened = await open();
  await append(opened);
  const reader = openLedgerReader(opened.directory);
  const question = { keys: [{ environment: "dev", id: KEY }], since: START_MS - DAY_MS, until: START_MS };
  const { keys, decisions, from } = await reader.decisions(question, () => {});
  reader.close();
  expect([decisions, from]).toEqual([3, START_MS]);
  expect(keys[0]!.decisions.map(({ demanded, count }) => [demanded, count])).toEqual([
    [`"infer:chat"|"${LLAMA}"`, 2],
    ['"models:list"|null', 1],
  ]);
});
