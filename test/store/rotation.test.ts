import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { openDatabase, openLedgerReader } from "../program-under-test.ts";
import { DAY_MS, fill, line, makeDirectory, open, settled, START_MS } from "./store-fixture.ts";

const ledger = {
  retentionDays: 3_650,
  retentionBytes: 1e12,
  reserveBytes: 0,
  requestDays: 3_650,
  personalDays: 3_650,
  securityPersonalDays: 3_650,
};

function segments(directory: string): string[] {
  return readdirSync(join(directory, "ledger"))
    .filter((name) => name.endsWith(".jsonl"))
    .toSorted();
}

function rows(directory: string): number[] {
  const database = openDatabase(join(directory, "sallyport.db"), { isReadOnly: true });
  const found = database
    .prepare("SELECT seq FROM ledger ORDER BY seq")
    .all()
    .map((row) => Number(row["seq"]));
  database.close();
  return found;
}

async function search(directory: string, filter: { order: "newest" | "oldest"; limit?: number; after?: number }) {
  const log = openLedgerReader(directory);
  const found = (await log.search({ limit: 1_000_000, ...filter })).map(({ seq }) => seq);
  log.close();
  return found;
}

const count = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

it("moves whole blocks out of the table, and the ledger still reads and verifies as one", async () => {
  const directory = makeDirectory();
  const { store } = await open({ directory, ledger, segmentRecords: 100 });
  await fill(store, 1, 1_050, 50);
  await store.close();
  const names = segments(directory);
  expect(names[0]).toBe("0000000000000001.jsonl");
  expect(names.length).toBeGreaterThanOrEqual(9);
  for (const name of names)
    expect(
      readFileSync(join(directory, "ledger", name), "utf8")
        .trimEnd()
        .split("\n"),
    ).toHaveLength(100);
  expect(rows(directory)).toEqual(count(names.length * 100 + 1, 1_050));
  expect(await openLedgerReader(directory).verify()).toMatchObject({ ok: true, records: 1_050 });
  expect(await search(directory, { order: "oldest" })).toEqual(count(1, 1_050));
  expect(await search(directory, { order: "newest" })).toEqual(count(1, 1_050).toReversed());
  expect(await search(directory, { order: "newest", after: 950 })).toEqual(count(951, 1_050).toReversed());
  expect(await search(directory, { order: "oldest", after: 99, limit: 3 })).toEqual([100, 101, 102]);
});

it("verifies and reads while it is written and rotated", async () => {
  const { store, directory } = await open({ ledger, segmentRecords: 50 });
  let isWriting = true;
  const writing = fill(store, 1, 3_000, 20).finally(() => (isWriting = false));
  let runs = 0;
  const log = openLedgerReader(directory);
  for (; isWriting; runs++) {
    const verdict = await log.verify();
    expect(verdict).toMatchObject({ ok: true });
    const found = (await log.search({ order: runs % 2 === 0 ? "oldest" : "newest", limit: 10_000 })).map(
      ({ seq }) => seq,
    );
    const oldestFirst = runs % 2 === 0 ? found : found.toReversed();
    expect(oldestFirst).toEqual(count(1, oldestFirst.length));
  }
  await writing;
  expect(runs).toBeGreaterThan(2);
  expect(await log.verify()).toMatchObject({ ok: true, records: 3_000 });
});

it("a kill between a segment and the deletion of its rows is harmless, and is put right at the next start", async () => {
  const directory = makeDirectory();
  const first = (await open({ directory, ledger, segmentRecords: 1_000 })).store;
  await fill(first, 1, 150);
  await first.close();
  const database = openDatabase(join(directory, "sallyport.db"), { isReadOnly: false });
  const lines = database.prepare("SELECT line FROM ledger WHERE seq <= 100 ORDER BY seq").all();
  database.prepare("DELETE FROM ledger WHERE seq <= 30").run();
  database.close();
  const path = join(directory, "ledger", "0000000000000001.jsonl");
  writeFileSync(path, lines.map((row) => `${String(row["line"])}\n`).join(""));
  copyFileSync(path, join(directory, "ledger", "0000000000000101.jsonl.tmp"));

  expect(await openLedgerReader(directory).verify()).toMatchObject({ ok: true, records: 150 });
  expect(await search(directory, { order: "oldest" })).toEqual(count(1, 150));
  expect(await search(directory, { order: "newest" })).toEqual(count(1, 150).toReversed());

  const { store } = await open({ directory, ledger, segmentRecords: 1_000 });
  expect(rows(directory)).toEqual(count(101, 150));
  expect(readdirSync(join(directory, "ledger")).toSorted()).toEqual(["0000000000000001.jsonl", "public.pem"]);
  await fill(store, 151, 10);
  expect(await openLedgerReader(directory).verify()).toMatchObject({ ok: true, records: 160 });
});

it("rows that differ from their segment are never deleted, and the damage is named", async () => {
  const directory = makeDirectory();
  const first = (await open({ directory, ledger, segmentRecords: 1_000 })).store;
  await fill(first, 1, 150);
  await first.close();
  const database = openDatabase(join(directory, "sallyport.db"), { isReadOnly: true });
  const lines = database
    .prepare("SELECT line FROM ledger WHERE seq <= 100 ORDER BY seq")
    .all()
    .map((row) => String(row["line"]));
  database.close();
  lines[39] = (lines[39] ?? "").replace('"n":40', '"n":41');
  writeFileSync(join(directory, "ledger", "0000000000000001.jsonl"), `${lines.join("\n")}\n`);
  await open({ directory, ledger, segmentRecords: 1_000 });
  expect(rows(directory)).toEqual(count(1, 150));
  expect((await openLedgerReader(directory).verify()).firstDamage?.seq).toBeGreaterThanOrEqual(40);
});

it("lets go of the oldest segments over the bound in bytes, records it first, and verifies", async () => {
  const { store, directory } = await open({ ledger: { ...ledger, retentionBytes: 60_000 }, segmentRecords: 50 });
  await fill(store, 1, 2_000, 50);
  await store.close();
  const names = segments(directory);
  expect(names[0]).not.toBe("0000000000000001.jsonl");
  const log = openLedgerReader(directory);
  expect(await log.verify()).toMatchObject({ ok: true });
  const [truncation] = await log.search({ order: "newest", limit: 1, type: "ledger.truncated" });
  expect(Number(truncation?.fields["first_seq"])).toBe(Number(names[0]?.slice(0, 16)));
  expect(truncation?.fields).toMatchObject({ reason: "bytes" });
});

it("lets go of what is too old at the next start", async () => {
  const directory = makeDirectory();
  const aged = { ...ledger, retentionDays: 30 };
  const { store } = await open({ directory, ledger: aged, segmentRecords: 50 });
  await fill(store, 1, 225, 25);
  await store.close();
  expect(segments(directory)[0]).toBe("0000000000000001.jsonl");
  const later = { now: () => START_MS + 31 * DAY_MS, monotonic: () => 0 };
  const again = (await open({ directory, clock: later, ledger: aged, segmentRecords: 50 })).store;
  expect(segments(directory)).toEqual([]);
  const log = openLedgerReader(directory);
  expect(await log.verify()).toMatchObject({ ok: true });
  expect((await log.search({ order: "newest", limit: 1 }))[0]).toMatchObject({
    type: "ledger.truncated",
    fields: { reason: "days" },
  });
  await fill(again, 226, 10);
  expect(await log.verify()).toMatchObject({ ok: true });
});

it("a segment removed by hand is damage, whichever it is", async () => {
  const directory = makeDirectory();
  const { store } = await open({ directory, ledger, segmentRecords: 50 });
  await fill(store, 1, 325, 25);
  await store.close();
  for (const name of segments(directory)) {
    const path = join(directory, "ledger", name);
    renameSync(path, `${path}.gone`);
    const { ok, firstDamage: damage } = await openLedgerReader(directory).verify();
    expect({ ok, seq: damage?.seq }).toEqual({ ok: false, seq: Number(name.slice(0, 16)) });
    renameSync(`${path}.gone`, path);
  }
  expect((await openLedgerReader(directory).verify()).ok).toBe(true);
});

it("a segment that cannot be written stops nothing, and is written when it can be", async () => {
  const directory = makeDirectory();
  const { store, troubles } = await open({ directory, ledger, segmentRecords: 50 });
  mkdirSync(join(directory, "ledger", "0000000000000001.jsonl.tmp"));
  await fill(store, 1, 100, 20);
  // The commit that is over the block is settled before its rotation has failed.
  await vi.waitFor(() => expect(troubles.join()).toContain("rotation"), 10_000);
  expect(store.isWritable()).toBe(true);
  expect(await settled(store, store.append(line("x")))).toBe(true);
  rmdirSync(join(directory, "ledger", "0000000000000001.jsonl.tmp"));
  await fill(store, 102, 1_200, 20);
  await store.close();
  expect(segments(directory).length).toBeGreaterThan(10);
  expect(await openLedgerReader(directory).verify()).toMatchObject({ ok: true, records: 1_301 });
});
