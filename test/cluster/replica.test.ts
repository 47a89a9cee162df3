/** The store as a replica: it takes changes from the log only, in its order, and a judged change leaves nothing. */
import { expect, it } from "vitest";
import {
  dataPaths,
  digestState,
  openSealer,
  openSigningKey,
  readReplicaPlace,
  verifyDirectory,
  writeReplicaPlace,
} from "../program-under-test.ts";
import { change, key, makeDirectory, open } from "../store/store-fixture.ts";
import type { Opened } from "../store/store-fixture.ts";

const HEADS = ["a", "b", "c"].map((digit) => digit.repeat(64));
const insert = (id: string) => change([{ op: "key.insert", key: key(id) }]);

/** A replica that is at epoch 1. */
async function replica(): Promise<Opened> {
  const directory = makeDirectory();
  const single = await open({ directory });
  await single.store.change(insert("first"));
  await single.store.close();
  writeReplicaPlace(directory, openSigningKey(dataPaths(directory), openSealer(directory)), {
    deployment: "AbCdEf123456",
    epoch: 1,
    head: HEADS[0]!,
  });
  return open({ directory });
}

it("takes changes from the log only, in its order, and remembers where it is", async () => {
  const { store, directory } = await replica();
  await expect(store.change(insert("beside"))).rejects.toMatchObject({ code: "log_required" });
  const late = store.replica.apply(insert("late"), { epoch: 3, head: HEADS[2]! });
  await expect(late).rejects.toMatchObject({ code: "conflict" });
  const twice = store.replica.apply(insert("twice"), { epoch: 1, head: HEADS[0]! });
  await expect(twice).rejects.toMatchObject({ code: "conflict" });
  expect(await store.replica.apply(insert("second"), { epoch: 2, head: HEADS[1]! })).toMatchObject({ epoch: 2 });
  expect(readReplicaPlace(directory)).toEqual({ deployment: "AbCdEf123456", epoch: 2, head: HEADS[1] });
  expect(store.reader.keys({}).map(({ name }) => name)).toEqual(["key first", "key second"]);
});

it("judges as it would apply, and writes nothing", async () => {
  const { store, directory } = await replica();
  const before = digestState(directory);
  await store.replica.judge(insert("second"));
  await expect(store.replica.judge(insert("first"))).rejects.toMatchObject({ code: "conflict" });
  await expect(store.replica.judge({ ...insert("x"), expectEpoch: 9 })).rejects.toMatchObject({ code: "conflict" });
  expect(digestState(directory)).toEqual(before);
  expect(store.figures().records).toBe(1);
});

it("records on its own what changes nothing, and its audit log and rows verify", async () => {
  const { store, directory } = await replica();
  const { rows } = digestState(directory);
  expect(await store.change(change([]))).toMatchObject({ epoch: 1 });
  await store.replica.judge(insert("judged"));
  await store.replica.apply(insert("second"), { epoch: 2, head: HEADS[1]! });
  await store.close();
  expect(await verifyDirectory(directory)).toMatchObject({ ok: true });
  expect(digestState(directory)).toMatchObject({ epoch: 2, rows: rows + 1 });
  // Rows that are not what was written would be found here.
  await open({ directory });
});

it("is no replica where it was not made one", async () => {
  const { store } = await open();
  const applied = store.replica.apply(insert("x"), { epoch: 1, head: HEADS[0]! });
  await expect(applied).rejects.toMatchObject({ code: "log_foreign" });
  await expect(store.replica.judge(insert("x"))).rejects.toMatchObject({ code: "log_foreign" });
  expect(await store.change(insert("x"))).toMatchObject({ epoch: 1 });
});
