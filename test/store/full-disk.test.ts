import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openDatabase, openLedgerReader } from "../program-under-test.ts";
import type { Operation } from "../program-under-test.ts";
import { change, key, line, makeDirectory, open, settled } from "./store-fixture.ts";
import type { Opened } from "./store-fixture.ts";

const writerUrl = new URL("./small-disk-writer.js", import.meta.url);
const reserveBytes = 256 * 1024;

function sizeDisk(directory: string, disk: { pages: number; freeBytes: number }): void {
  writeFileSync(join(directory, "..", "disk"), JSON.stringify(disk));
}

async function openSmall(pages = 60): Promise<Opened> {
  const directory = makeDirectory();
  sizeDisk(directory, { pages, freeBytes: 1e9 });
  const ledger = {
    retentionDays: 3_650,
    retentionBytes: 1e12,
    reserveBytes,
    requestDays: 3_650,
    personalDays: 3_650,
    securityPersonalDays: 3_650,
  };
  const opened = await open({ directory, writerUrl, ledger });
  await opened.store.change(change([{ op: "key.insert", key: key("a") }]));
  return opened;
}

/** Appends until a line is refused; says how many are on disk. */
async function fillUp({ store, directory }: Opened): Promise<number> {
  for (let count = 0; ; count++) {
    const ticket = store.append(line(count, { text: "x".repeat(2_000) }));
    if (!(await settled(store, ticket))) {
      // What the reserve gave back: room for revocations, not for a new reserve.
      sizeDisk(directory, { pages: 60, freeBytes: 300_000 });
      return count;
    }
  }
}

it("a full disk refuses inference, lets revocation pass, and everything is whole when there is room again", async () => {
  const opened = await openSmall();
  const { store, directory, clock, troubles } = opened;
  expect(existsSync(join(directory, "reserve"))).toBe(true);
  const count = await fillUp(opened);
  expect(count).toBeGreaterThan(10);
  expect([store.isWritable(), store.takesChanges()]).toEqual([false, true]);
  expect(existsSync(join(directory, "reserve"))).toBe(false);
  expect(troubles.join()).toContain("full");

  expect(
    await store.change(
      change([{ op: "key.state", environment: "dev", id: key("a").id, state: "revoked", reason: null }]),
    ),
  ).toMatchObject({ epoch: 2 });
  expect(store.reader.key("dev", key("a").id)?.state).toBe("revoked");
  expect(store.isWritable()).toBe(false);
  expect(await settled(store, store.append(line("refused")))).toBe(false);
  expect(await openLedgerReader(directory).verify()).toMatchObject({ ok: true, records: count + 2 });

  sizeDisk(directory, { pages: 100_000, freeBytes: 1e9 });
  clock.ms += 1_000;
  expect(await settled(store, store.append(line("probe")))).toBe(true);
  expect(store.isWritable()).toBe(true);
  expect(existsSync(join(directory, "reserve"))).toBe(true);
  expect(await settled(store, store.append(line("served")))).toBe(true);
  // What was lost meanwhile is told by one record more.
  expect(await openLedgerReader(directory).verify()).toMatchObject({ ok: true, records: count + 5 });
  const database = openDatabase(join(directory, "sallyport.db"), { isReadOnly: true });
  const gaps = database.prepare("SELECT line FROM ledger WHERE line LIKE '%ledger.gap%'").all();
  database.close();
  expect(gaps).toHaveLength(1);
  expect(String(gaps[0]!["line"])).toMatch(/"records":\d+,"since":\d+,"until":\d+/);
});

it("while the store is down one line a second is let through to see whether it still is", async () => {
  const opened = await openSmall();
  const { store, clock } = opened;
  await fillUp(opened);
  expect(store.append(line(1))).toBeUndefined();
  clock.ms += 999;
  expect(store.append(line(1))).toBeUndefined();
  clock.ms += 1;
  const probe = store.append(line(1));
  expect(probe).toBeDefined();
  expect(store.append(line(1))).toBeUndefined();
  expect(await settled(store, probe)).toBe(false);
  expect(store.isWritable()).toBe(false);
});

it("a change finds out too that there is room again", async () => {
  const opened = await openSmall();
  await fillUp(opened);
  sizeDisk(opened.directory, { pages: 100_000, freeBytes: 1e9 });
  await opened.store.change(change([{ op: "key.insert", key: key("b") }]));
  expect(opened.store.isWritable()).toBe(true);
});

const restriction = (n: number): Operation => ({
  op: "restriction.put",
  restriction: {
    id: `alert-${n}`,
    environment: "dev",
    key: key("a").id,
    kind: "flood",
    action: "suspend",
    networks: ["x".repeat(3_000)],
    at: n,
    until: n + 1,
  },
});

it("the reserve is kept for what takes rights away", async () => {
  const opened = await openSmall();
  const { store } = opened;
  await fillUp(opened);
  for (const operations of [[{ op: "key.insert", key: key("n") }], [] as Operation[]] as const)
    await expect(store.change(change(operations as readonly Operation[]))).rejects.toMatchObject({
      code: "store_unavailable",
      message: expect.stringContaining("only what takes rights away") as string,
    });
  const revoked = { op: "key.state", environment: "dev", id: key("a").id, state: "revoked", reason: null } as const;
  expect(await store.change(change([revoked]))).toMatchObject({ epoch: 2 });
});

it("what cannot be revoked must not run: changes are known not to commit before one is asked", async () => {
  const opened = await openSmall();
  const { store, directory, clock } = opened;
  await fillUp(opened);
  expect(store.takesChanges()).toBe(true);
  sizeDisk(directory, { pages: 60, freeBytes: 1_000 });
  clock.ms += 1_000;
  expect(await settled(store, store.append(line("probe")))).toBe(false);
  expect([store.isWritable(), store.takesChanges()]).toEqual([false, false]);
  sizeDisk(directory, { pages: 100_000, freeBytes: 1e9 });
  clock.ms += 1_000;
  expect(await settled(store, store.append(line("probe")))).toBe(true);
  expect([store.isWritable(), store.takesChanges()]).toEqual([true, true]);
});

it("when the reserve is used up too, changes are refused as well, and none is half there", async () => {
  const opened = await openSmall();
  const { store, directory, clock } = opened;
  await fillUp(opened);
  let epoch = 1;
  for (let n = 0; ; n++) {
    const ended = await store.change(change([restriction(n)], n)).catch((error: unknown) => error);
    if (ended instanceof Error) {
      expect(ended).toMatchObject({ code: "store_unavailable" });
      expect(store.takesChanges()).toBe(false);
      break;
    }
    epoch++;
  }
  expect(epoch).toBeGreaterThan(2);
  expect(store.reader.policy().epoch).toBe(epoch);
  sizeDisk(directory, { pages: 100_000, freeBytes: 1e9 });
  clock.ms += 1_000;
  expect(await settled(store, store.append(line("again")))).toBe(true);
  expect((await openLedgerReader(directory).verify()).ok).toBe(true);
});

it("a writer that dies refuses everything that was not acknowledged, and everything after", async () => {
  const { store, troubles } = await openSmall();
  const ticket = store.append(line(1));
  const ended = store.change(change([{ op: "environment.remove", name: "dies" }]));
  await expect(ended).rejects.toMatchObject({ code: "store_unavailable" });
  expect(await settled(store, ticket)).toBe(false);
  expect(store.isWritable()).toBe(false);
  expect(store.append(line(2))).toBeUndefined();
  await expect(store.change(change([]))).rejects.toMatchObject({ code: "store_unavailable" });
  expect(troubles).toEqual(["the writer has ended"]);
});

it.each(["sallyport.db-wal", "sallyport.db"])(
  "%s deleted under the running program: nothing more is acknowledged",
  async (name) => {
    const { store, directory, troubles } = await openSmall();
    expect(await settled(store, store.append(line("before")))).toBe(true);
    rmSync(join(directory, name));
    expect(await settled(store, store.append(line("after")))).toBe(false);
    expect([store.isWritable(), store.takesChanges()]).toEqual([false, false]);
    expect(troubles.join()).toContain(`${name} was deleted or replaced`);
  },
);
