/** What happens to logs over time: proofs of single records, keys that change, beginnings let go of, personal fields erased, witnesses. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { noPins, parseCheckpoint, parseVerifierKey } from "@sallyport/ledger";
import {
  cosign,
  exportAudit,
  ledgerCrypto,
  openDatabase,
  openLedgerReader,
  openWitness,
  proveRecord,
  proveRecords,
  publishedKeys,
  verifyPath,
} from "../program-under-test.ts";
import { DAY_MS, makeDirectory, open, settled, StandingClock, START_MS } from "../store/store-fixture.ts";
import { encodeEvent } from "@sallyport/ledger";
import { copyOf, makeFolder, pinsOf, placeOf, write } from "./ledger-fixture.ts";

const folder = (): string => makeFolder((end) => onTestFinished(end));
const at = (ms: number): StandingClock => Object.assign(new StandingClock(), { ms });
const ledger = {
  retentionDays: 3_650,
  retentionBytes: 1e12,
  reserveBytes: 0,
  requestDays: 3_650,
  personalDays: 3_650,
  securityPersonalDays: 3_650,
};

async function filled(count: number, extra: Parameters<typeof open>[0] = {}): Promise<string> {
  const directory = extra.directory ?? makeDirectory();
  const { store } = await open({ ledger, segmentRecords: 300, ...extra, directory });
  await write(store, 1, count);
  await store.close();
  return directory;
}

it("the proof of any record is accepted alone, and of none that was changed", async () => {
  const directory = await filled(1_000);
  const out = folder();
  for (const id of [{ seq: 1 }, { seq: 500 }, { seq: 999 }, { seq: 1_000 }, { request: "req_700" }]) {
    const path = join(out, "x.proof");
    const proof = await proveRecord(placeOf(directory), id);
    writeFileSync(path, proof);
    expect(await verifyPath(path, await pinsOf(directory))).toMatchObject({ ok: true, records: 1 });
    const lines = proof.split("\n");
    for (let i = 0; i < lines.length; i++) {
      if (lines[i] === "" || lines[i] === lines[0]) continue;
      const line = lines[i]!;
      const middle = Math.floor(line.length * 0.6);
      const other = line[middle] === "A" ? "B" : "A";
      writeFileSync(path, lines.with(i, line.slice(0, middle) + other + line.slice(middle + 1)).join("\n"));
      expect([i, (await verifyPath(path, noPins)).ok]).toEqual([i, false]);
    }
  }
  await expect(proveRecord(placeOf(directory), { seq: 1_001 })).rejects.toMatchObject({ code: "not_found" });
  const foreign = await pinsOf(await filled(10));
  writeFileSync(join(out, "x.proof"), await proveRecord(placeOf(directory), { seq: 5 }));
  // A key that was kept of another node says nothing of this one.
  expect(await verifyPath(join(out, "x.proof"), foreign)).toMatchObject({ ok: true });
});

it("proofs that are made together are those that are made one by one", async () => {
  const directory = await filled(700);
  const place = placeOf(directory);
  const seqs = [1, 2, 3, 250, 300, 301, 302, 555, 699, 700, 5_000];
  const together = await proveRecords(place, seqs);
  expect([...together.keys()].toSorted((a, b) => a - b)).toEqual(seqs.slice(0, -1));
  for (const [seq, proof] of together) expect(proof).toBe(await proveRecord(place, { seq }));
});

it("a log's key signs its successor after 90 days, and whoever kept the first one follows", async () => {
  const directory = await filled(300);
  const first = await pinsOf(directory);
  for (const days of [91, 182]) {
    const { store } = await open({ directory, ledger, segmentRecords: 300, clock: at(days * DAY_MS) });
    await write(store, days * 10, 90);
    await store.close();
  }
  const later = await pinsOf(directory);
  expect(later.keys.map(({ keyId }) => keyId)).not.toEqual(first.keys.map(({ keyId }) => keyId));
  const out = join(folder(), "tiles");
  await exportAudit(placeOf(directory), { format: "tiles", out });
  for (const path of [directory, out])
    expect(await verifyPath(path, first)).toMatchObject({ ok: true, records: 300 + 180 + 6 });
  const reader = openLedgerReader(directory);
  const changes = await reader.search({ type: "ledger.key_changed", limit: 10, order: "oldest" });
  expect(changes.map(({ environment }) => environment).toSorted()).toEqual([
    "dev",
    "dev",
    "prod",
    "prod",
    "staging",
    "staging",
  ]);
  reader.close();
  // A successor nobody signed is not followed.
  const row = `${out}.jsonl`;
  await exportAudit(placeOf(directory), { format: "jsonl", out: row });
  const forged = readFileSync(row, "utf8").replace(/"signature":"[^"]{10}/, '"signature":"AAAAAAAAAA');
  writeFileSync(row, forged);
  expect((await verifyPath(row, first)).ok).toBe(false);
});

it("what retention lets go of leaves the rest provable, in every form", async () => {
  const small = { ...ledger, retentionBytes: 150_000 };
  const directory = await filled(2_000, { ledger: small });
  const kept = await verifyPath(directory, await pinsOf(directory));
  expect(kept.ok).toBe(true);
  expect(kept.records).toBeLessThan(1_500);
  const out = join(folder(), "tiles");
  await exportAudit(placeOf(directory), { format: "tiles", out });
  expect(readdirSync(join(out, "dev"))).toContain("first-entries");
  expect(await verifyPath(out, await pinsOf(directory))).toMatchObject({ ok: true });
  await exportAudit(placeOf(directory), { format: "jsonl", out: `${out}.jsonl` });
  expect(await verifyPath(`${out}.jsonl`, noPins)).toMatchObject({ ok: true, records: kept.records });
  for (const seq of [1_900, 2_000]) {
    writeFileSync(`${out}.proof`, await proveRecord(placeOf(directory), { seq }));
    expect(await verifyPath(`${out}.proof`, noPins)).toMatchObject({ ok: true });
  }
  const together = await proveRecords(placeOf(directory), [1, 1_900, 1_999, 2_000]);
  expect([...together.keys()].toSorted((a, b) => a - b)).toEqual([1_900, 1_999, 2_000]);
  for (const [seq, proof] of together) expect(proof).toBe(await proveRecord(placeOf(directory), { seq }));
  // And it grows on.
  const { store } = await open({ directory, ledger: small, segmentRecords: 300 });
  await write(store, 2_001, 300);
  await store.close();
  expect(await verifyPath(directory, noPins)).toMatchObject({ ok: true });
});

it("personal fields go when their time is over; records, hashes and proofs stay", async () => {
  const directory = makeDirectory();
  const brief = { ...ledger, requestDays: 3_650, personalDays: 30, securityPersonalDays: 400 };
  const { store } = await open({ directory, ledger: brief, segmentRecords: 300 });
  await write(store, 1, 700);
  const security = {
    type: "person.logged_in",
    at: START_MS,
    environment: "dev",
    actor: "principal:p",
    fields: { address: "192.0.2.77" },
  };
  await settled(store, store.append(encodeEvent(security)));
  await store.close();
  const proof = join(folder(), "before.proof");
  writeFileSync(proof, await proveRecord(placeOf(directory), { seq: 350 }));
  const everything = (): string =>
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
      .join();
  expect(everything()).toContain("10.0.0.3");

  const later = (await open({ directory, ledger: brief, segmentRecords: 300, clock: at(31 * DAY_MS) })).store;
  await later.close();
  expect(everything()).not.toContain("10.0.0.");
  expect(everything()).toContain("192.0.2.77");
  expect(await verifyPath(directory, await pinsOf(directory))).toMatchObject({ ok: true, records: 702 });
  // The proof was handed out before: it still holds, and still has the address in it.
  expect(await verifyPath(proof, await pinsOf(directory))).toMatchObject({ ok: true });
  const reader = openLedgerReader(directory);
  expect((await reader.search({ limit: 1, order: "oldest" }))[0]!.fields["address"]).toBeNull();
  expect(await reader.search({ address: "10.0.0.3", limit: 5, order: "newest" })).toEqual([]);
  expect(await reader.search({ address: "192.0.2.77", limit: 5, order: "newest" })).toHaveLength(1);
  expect(await reader.search({ type: "ledger.erased", limit: 5, order: "newest" })).toHaveLength(1);
  reader.close();
  const last = (await open({ directory, ledger: brief, segmentRecords: 300, clock: at(401 * DAY_MS) })).store;
  await last.close();
  expect(everything()).not.toContain("192.0.2.77");
});

it("an address beside a record that was changed on the server is damage", async () => {
  const directory = await filled(100);
  const database = openDatabase(join(directory, "sallyport.db"), { isReadOnly: false });
  database.exec("UPDATE ledger SET line = replace(line, '10.0.0.3', '10.9.9.9') WHERE seq = 53");
  database.close();
  expect(await verifyPath(directory, noPins)).toMatchObject({ ok: false, firstDamage: { seq: 53 } });
});

it("a witness cosigns a log that grows, and neither one that was rolled back nor one it does not know", async () => {
  const directory = await filled(400);
  const place = placeOf(directory) as never;
  const faults: unknown[] = [];
  const keys = await publishedKeys(placeOf(directory));
  const where = folder();
  const witness = openWitness({
    name: "witness.example/w1",
    folder: where,
    logs: keys.filter(({ name }) => name.endsWith("/dev") || name.endsWith("/prod")).map(({ key }) => key),
    fault: (cause) => faults.push(cause),
  });
  witness.server.listen(0, "127.0.0.1");
  await once(witness.server, "listening");
  onTestFinished(() => void witness.server.close());
  const url = `http://127.0.0.1:${(witness.server.address() as AddressInfo).port}`;
  const verifier = parseVerifierKey(ledgerCrypto.sha256, witness.key)!;
  const order = { url, witness: verifier, environment: "dev" };

  const older = copyOf(directory, join(folder(), "older"));
  const cosigned = await cosign(place, order);
  await cosign(place, order);
  const { store } = await open({ directory, ledger, segmentRecords: 300 });
  await write(store, 401, 100);
  await store.close();
  const newest = parseCheckpoint(await cosign(place, order))!;
  expect(newest.size).toBeGreaterThan(parseCheckpoint(cosigned)!.size);

  const pins = await pinsOf(directory, { witnesses: [verifier], checkpoints: [newest] });
  const out = join(folder(), "tiles");
  await exportAudit(placeOf(directory), { format: "tiles", out, environment: "dev" });
  expect(await verifyPath(out, pins)).toMatchObject({ ok: true });
  expect((await verifyPath(out, { ...pins, checkpoints: [] })).firstDamage!.reason).toContain("has not cosigned");

  await expect(cosign(placeOf(older) as never, order)).rejects.toMatchObject({
    code: "conflict",
    message: expect.stringContaining("rolled back"),
  });
  await expect(cosign(place, { ...order, environment: "staging" })).rejects.toThrow(/does not know the log/);
  const forked = (await open({ directory: older, ledger, segmentRecords: 300 })).store;
  await write(forked, 401, 150, "-fork");
  await forked.close();
  await expect(cosign(placeOf(older) as never, order)).rejects.toThrow(/does not extend/);

  const { hash } = await import("node:crypto");
  const shown = await fetch(`${url}/${hash("sha256", newest.origin, "hex")}/checkpoint`);
  expect(parseCheckpoint(await shown.text())).toMatchObject({ size: newest.size, root: newest.root });
  for (const [path, method, body, status] of [
    ["/add-checkpoint", "GET", undefined, 405],
    ["/add-checkpoint", "POST", "old 0\n", 400],
    ["/add-checkpoint", "POST", "x".repeat(70_000), 400],
    ["/other", "GET", undefined, 404],
    [`/${"0".repeat(64)}/checkpoint`, "GET", undefined, 404],
  ] as const)
    expect([path, (await fetch(`${url}${path}`, { method, ...(body === undefined ? {} : { body }) })).status]).toEqual([
      path,
      status,
    ]);
  expect(faults).toEqual([]);
});
