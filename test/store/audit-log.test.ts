import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { encodeEvent } from "@sallyport/ledger";
import { openDatabase, openLedgerReader } from "../program-under-test.ts";
import type { LedgerReader } from "../program-under-test.ts";
import { makeDirectory, open, settled, START_MS } from "./store-fixture.ts";

let directory: string;
let log: LedgerReader;

/** 300 records in blocks of 50; record `seq` at second `seq`, from one of two keys, in one of three environments. */
beforeEach(async () => {
  directory = makeDirectory();
  const { store } = await open({ directory, segmentRecords: 50 });
  for (let seq = 1; seq <= 300; seq++) {
    const ticket = store.append(
      encodeEvent({
        type: seq % 10 === 0 ? "request.refused" : "request.intent",
        at: START_MS + seq * 1_000,
        environment: ["dev", "staging", "prod"][seq % 3] ?? "",
        actor: `key:k${seq % 2}`,
        fields: {
          principal: `p${seq % 2}`,
          code: seq % 10 === 0 ? "model_denied" : null,
          model: "llama3.2",
          address: `10.0.0.${seq % 5}`,
          note: '"type":"x"',
        },
      }),
    );
    if (seq % 25 === 0) await settled(store, ticket);
  }
  await store.close();
  log = openLedgerReader(directory);
  return () => log.close();
});

const seqs = async (filter: Partial<Parameters<typeof log.search>[0]>) =>
  (await log.search({ limit: 5, order: "newest", ...filter })).map(({ seq }) => seq);

it("searches newest first and oldest first, across segments and table", async () => {
  expect(await seqs({})).toEqual([300, 299, 298, 297, 296]);
  expect(await seqs({ order: "oldest" })).toEqual([1, 2, 3, 4, 5]);
  expect(await seqs({ limit: 1_000 })).toHaveLength(300);
  expect(await seqs({ limit: 0 })).toEqual([]);
  expect((await log.search({ limit: 1, order: "oldest" }))[0]).toEqual({
    seq: 1,
    at: START_MS + 1_000,
    environment: "staging",
    type: "request.intent",
    actor: "key:k1",
    fields: { principal: "p1", code: null, model: "llama3.2", address: "10.0.0.1", note: '"type":"x"' },
  });
});

it("filters by everything a filter can name", async () => {
  expect(await seqs({ type: "request.refused" })).toEqual([300, 290, 280, 270, 260]);
  expect(await seqs({ code: "model_denied", order: "oldest", limit: 2 })).toEqual([10, 20]);
  expect(await seqs({ actor: "key:k1", limit: 2 })).toEqual([299, 297]);
  expect(await seqs({ principal: "p0", limit: 2 })).toEqual([300, 298]);
  expect(await seqs({ environment: "dev", limit: 2 })).toEqual([300, 297]);
  expect(await seqs({ address: "10.0.0.3", model: "llama3.2", limit: 2 })).toEqual([298, 293]);
  expect(await seqs({ model: "qwen3" })).toEqual([]);
  expect(await seqs({ type: "x" })).toEqual([]);
  expect(await seqs({ since: START_MS + 299_000 })).toEqual([300, 299]);
  expect(await seqs({ until: START_MS + 2_000 })).toEqual([2, 1]);
  expect(await seqs({ since: START_MS + 100_000, until: START_MS + 102_000, order: "oldest" })).toEqual([
    100, 101, 102,
  ]);
  expect(await seqs({ since: START_MS + 9e9 })).toEqual([]);
  expect(await seqs({ after: 298 })).toEqual([300, 299]);
  expect(await seqs({ after: 49, order: "oldest", limit: 3 })).toEqual([50, 51, 52]);
});

it("names the segment and record that was changed, and still searches the others", async () => {
  const path = join(directory, "ledger", "0000000000000101.jsonl");
  writeFileSync(path, readFileSync(path, "utf8").replace('"seq":120,', '"seq":120, '));
  expect(await log.verify()).toMatchObject({
    ok: false,
    records: 119,
    firstDamage: { seq: 120, file: "0000000000000101.jsonl" },
  });
  expect(await seqs({ limit: 1_000 })).toHaveLength(299);
});

it.each([
  ["a byte that is not UTF-8", (bytes: Buffer) => bytes.fill(0xff, 700, 701)],
  ["the last newline cut off", (bytes: Buffer) => bytes.subarray(0, -1)],
  ["half of the segment cut off", (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1)],
  ["an empty segment", () => Buffer.alloc(0)],
])("%s is damage", async (_, harm) => {
  const path = join(directory, "ledger", "0000000000000051.jsonl");
  writeFileSync(path, harm(readFileSync(path)));
  const { ok, firstDamage } = await log.verify();
  expect(ok).toBe(false);
  expect(firstDamage?.seq).toBeGreaterThanOrEqual(51);
  expect(firstDamage?.seq).toBeLessThanOrEqual(101);
});

it("a record of the table that was changed, removed or added is named", async () => {
  const database = openDatabase(join(directory, "sallyport.db"), { isReadOnly: false });
  const first =
    Number(
      readdirSync(join(directory, "ledger"))
        .filter((name) => name.endsWith("jsonl"))
        .toSorted()
        .at(-1)
        ?.slice(0, 16),
    ) + 60;
  const damage = async (sql: string) => {
    database.exec(`BEGIN; ${sql}; COMMIT`);
    return (await log.verify()).firstDamage;
  };
  const kept = database.prepare("SELECT line FROM ledger WHERE seq = ?").get(first)?.["line"] ?? null;
  expect(
    await damage(`UPDATE ledger SET line = replace(line, '"llama3.2"', '"llama3.3"') WHERE seq = ${first}`),
  ).toMatchObject({ seq: first, file: "sallyport.db" });
  expect(await damage(`DELETE FROM ledger WHERE seq = ${first}`)).toMatchObject({ seq: first });
  database.prepare("INSERT INTO ledger VALUES (?, ?)").run(first, kept);
  expect((await log.verify()).ok).toBe(true);
  expect(await damage("INSERT INTO ledger VALUES (301, (SELECT line FROM ledger WHERE seq = 300))")).toMatchObject({
    seq: 301,
  });
  database.exec("DELETE FROM ledger WHERE seq = 301");
  expect(await damage("DELETE FROM meta WHERE name = 'head'")).toMatchObject({
    reason: expect.stringContaining("no signed head"),
  });
  database.close();
});

it("tells which permissions keys used, as far back as intents say", async () => {
  const { store } = await open({ directory, segmentRecords: 50 });
  const intent = (seq: number, permissions: string[] | undefined): number | undefined =>
    store.append(
      encodeEvent({
        type: seq % 2 === 0 ? "request.intent" : "model.intent",
        at: START_MS + seq * 1_000,
        environment: "dev",
        actor: `key:k${seq % 2}`,
        fields: { note: '"permissions":["no:one"]', ...(permissions ? { permissions } : {}) },
      }),
    );
  for (let seq = 301; seq <= 420; seq++) intent(seq, seq % 2 === 0 ? ["infer:chat", "runtime:load"] : ["models:pull"]);
  await settled(
    store,
    store.append(
      encodeEvent({
        type: "server.started",
        at: START_MS + 421_000,
        environment: "system",
        actor: "gateway",
        fields: {},
      }),
    ),
  );
  await store.close();
  const uses = (since: number, until: number) =>
    log.uses({ since: START_MS + since * 1_000, until: START_MS + until * 1_000 });
  const all = await uses(0, 1_000);
  // The three hundred before say no permissions: nothing is known of their time.
  expect(all.from).toBe(START_MS + 299_000);
  expect(all.uses.toSorted((a, b) => (a.permission < b.permission ? -1 : 1))).toEqual([
    { environment: "dev", key: "k0", permission: "infer:chat", count: 60 },
    { environment: "dev", key: "k1", permission: "models:pull", count: 60 },
    { environment: "dev", key: "k0", permission: "runtime:load", count: 60 },
  ]);
  expect(await uses(400, 402)).toMatchObject({ from: START_MS + 400_000 });
  expect((await uses(0, -10)).uses).toEqual([]);
});
