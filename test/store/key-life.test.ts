/** The life of a key in the store: what rotation writes is read back, what is final stays final, uses only grow. */
import { expect, it } from "vitest";
import { beginRotation, endOverlap, isRefusal, noteFirstUse, UseRecord } from "../program-under-test.ts";
import type { KeyLifeState, KeyRecord } from "../program-under-test.ts";
import { change, key, makeDirectory, open } from "./store-fixture.ts";

const lifeOf = ({ secrets, rotation, rotatedAt, frozenAt, lifetimeMs, told, idleSince }: KeyRecord): KeyLifeState => ({
  secrets, rotation, rotatedAt, frozenAt, lifetimeMs, told, idleSince,
}); // prettier-ignore

function rotated(held: KeyRecord, at: number): KeyRecord {
  const secret = { hash: Buffer.alloc(32, 9), pepperVersion: 1, expiresAt: at + 9e9 };
  const begun = beginRotation(held, {
    by: "x",
    at,
    graceMs: 1e6,
    capMs: 2e6,
    secret,
    sealed: { text: "s", until: at },
  });
  if (isRefusal(begun)) throw new Error(begun.code);
  return begun;
}

it("a rotation is read back as it was written, and a destroyed secret never comes back", async () => {
  const { store } = await open({ directory: makeDirectory() });
  const first = key("a");
  const { environment, id, createdAt } = first;
  await store.change(change([{ op: "key.insert", key: first }]));
  const begun = rotated(first, createdAt);
  await store.change(change([{ op: "key.life", environment, id, life: lifeOf(begun) }]));
  expect(store.reader.key(environment, id)).toEqual(begun);
  const used = noteFirstUse(begun, 2, createdAt + 1);
  const over = endOverlap(used, createdAt + 2);
  await store.change(change([{ op: "key.life", environment, id, life: lifeOf(over) }]));
  expect(store.reader.key(environment, id)).toEqual(over);
  await expect(store.change(change([{ op: "key.life", environment, id, life: lifeOf(used) }]))).rejects.toMatchObject({
    code: "conflict",
  });
  const nobody = change([{ op: "key.life", environment, id: "nobody", life: lifeOf(used) }]);
  await expect(store.change(nobody)).rejects.toMatchObject({ code: "not_found" });
  await store.close();
});

it("uses are merged to the latest, survive a restart, and cost no epoch and no record", async () => {
  const directory = makeDirectory();
  const { store } = await open({ directory });
  const held = key("a");
  const [secret] = held.secrets;
  await store.change(change([{ op: "key.insert", key: held }]));
  const { epoch } = store.reader.policy();
  const { records } = store.figures();
  const uses = new UseRecord({
    keyUses: (...name) => store.reader.keyUses(...name),
    noteUses: (all) => store.noteUses(all),
  });
  uses.note(held, secret!, 5_000);
  uses.flush();
  uses.note(held, secret!, 4_000);
  expect(uses.lastUses("dev", held.id)).toEqual(new Map([[1, expect.any(Number)]]));
  uses.flush();
  const rotating = rotated(held, 0);
  uses.notePlaced(rotating, secret!, 6_000, "10.0.0.1", "curl\u0007/8");
  uses.notePlaced(rotating, secret!, 7_000, "10.0.0.2", "python");
  uses.flush();
  await store.close();
  const again = await open({ directory });
  const found = again.store.reader
    .keyUses("dev", held.id)
    .map(({ address, agent, usedAt }) => [address, agent, usedAt]);
  expect(found).toEqual([
    ["", "", 7_000],
    ["10.0.0.1", "curl?/8", 6_000],
    ["10.0.0.2", "python", 7_000],
  ]);
  expect(again.store.reader.policy().epoch).toBe(epoch);
  expect(again.store.figures().records).toBe(records);
  await again.store.close();
});
