/** A directory with so many rows that they are checked beside the program: commands end as they should all the same. */
import { expect, test } from "vitest";
import { change, key, makeDirectory, open } from "../store/store-fixture.ts";
import { sallyport } from "./program.ts";

test("a command on many rows ends with its answer", async () => {
  const directory = makeDirectory();
  const { store } = await open({ directory });
  const operations = Array.from({ length: 2_100 }, (_, n) => ({
    op: "key.insert" as const,
    key: key(`k${String(n).padStart(6, "0")}`),
  }));
  await store.change(change(operations));
  await store.close();
  const { code, stdout, stderr } = await sallyport(["keys", "list", "--json", "--data", directory]);
  expect([code, stderr.slice(0, 300)]).toEqual([0, ""]);
  expect((JSON.parse(stdout) as { keys: unknown[] }).keys).toHaveLength(2_100);
});
