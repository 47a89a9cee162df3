/** Requests end before the acts between them: what is left verifies in every form, and nothing else may go that way. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { encodeEvent, noPins, parseCheckpoint } from "@sallyport/ledger";
import {
  exportAudit,
  openDatabase,
  openIndexKey,
  openLedgerReader,
  openSealer,
  proveRecord,
  verifyPath,
} from "../program-under-test.ts";
import { DAY_MS, makeDirectory, open, settled, StandingClock, START_MS } from "../store/store-fixture.ts";
import { makeFolder, pinsOf, placeOf, write } from "./ledger-fixture.ts";

const folder = (): string => makeFolder((end) => onTestFinished(end));
const at = (ms: number): StandingClock => Object.assign(new StandingClock(), { ms });
const ledger = {
  retentionDays: 400,
  retentionBytes: 1e12,
  reserveBytes: 0,
  requestDays: 30,
  personalDays: 30,
  securityPersonalDays: 400,
};
const segmentRecords = 300;

const act = (n: number): string =>
  encodeEvent({
    type: "key.revoked",
    at: START_MS + n * 1_000,
    environment: "dev",
    actor: "os:root",
    fields: { key: `K${n}`, reason: "by_hand" },
  });

/** A thousand requests, with an act after each hundred. */
async function fill(directory: string): Promise<void> {
  const { store } = await open({ directory, ledger, segmentRecords });
  for (let n = 0; n < 10; n++) {
    await write(store, n * 101 + 1, 100);
    await settled(store, store.append(act(n * 101 + 101)));
  }
  await store.close();
}

async function openLater(directory: string, days: number): Promise<void> {
  const { store } = await open({ directory, ledger, segmentRecords, clock: at(days * DAY_MS) });
  await store.close();
}

const segmentsOf = (directory: string): string[] =>
  readdirSync(join(directory, "ledger"))
    .filter((name) => name.endsWith(".jsonl"))
    .toSorted()
    .map((name) => join(directory, "ledger", name));
const linesOf = (path: string): string[] => readFileSync(path, "utf8").trimEnd().split("\n");

let directory: string;
beforeEach(async () => {
  directory = makeDirectory();
  await fill(directory);
});

it("nothing ends before its time, and nothing where requests are kept as long as the rest", async () => {
  const before = segmentsOf(directory).map((path) => readFileSync(path, "utf8"));
  const { store } = await open({
    directory,
    ledger: { ...ledger, requestDays: 400, personalDays: 399 },
    segmentRecords,
    clock: at(200 * DAY_MS),
  });
  await store.close();
  expect(
    segmentsOf(directory)
      .slice(0, 2)
      .map((path) => readFileSync(path, "utf8")),
  ).toEqual(before.slice(0, 2));
});

describe("when their time is over", () => {
  let pins: Awaited<ReturnType<typeof pinsOf>>;
  beforeEach(async () => {
    const tiles = join(folder(), "before");
    await exportAudit(placeOf(directory), { format: "tiles", out: tiles });
    const kept = parseCheckpoint(readFileSync(join(tiles, "prod", "checkpoint"), "utf8"))!;
    pins = await pinsOf(directory, { checkpoints: [kept] });
    await openLater(directory, 31);
  });

  it("requests are hashes, acts are there, and the ledger verifies against a checkpoint of before", async () => {
    const [first, second, newest] = segmentsOf(directory).map(linesOf);
    for (const lines of [first!, second!]) {
      expect(lines).toHaveLength(segmentRecords);
      const ended = lines.filter((line) => line.includes('"ended"'));
      expect(ended.length).toBeGreaterThan(segmentRecords - 7);
      expect(lines.filter((line) => line.includes('"key.revoked"')).length).toBeGreaterThan(1);
      expect(lines.filter((line) => line.includes('"request.intent"')).length).toBeLessThanOrEqual(2);
      expect(lines[0]).toContain('"prev"');
    }
    // The newest segment may still be in the table as well.
    expect(newest!.some((line) => line.includes('"ended"'))).toBe(false);
    const verdict = await verifyPath(directory, pins);
    expect(verdict).toMatchObject({ ok: true, unvouched: [] });
    expect(verdict.cannotShow.join()).toMatch(/what was in 59\d records whose time is over/);
  });

  it("every export of it verifies, and proofs are made of what is there alone", async () => {
    const out = join(folder(), "out");
    await exportAudit(placeOf(directory), { format: "tiles", out });
    expect(await verifyPath(out, pins)).toMatchObject({ ok: true });
    for (const format of ["jsonl", "ocsf"] as const) {
      await exportAudit(placeOf(directory), { format, out: `${out}.${format}` });
      expect(await verifyPath(`${out}.${format}`, pins)).toMatchObject({ ok: true });
    }
    for (const seq of [202, 303, 900]) {
      writeFileSync(`${out}.proof`, await proveRecord(placeOf(directory), { seq }));
      expect(await verifyPath(`${out}.proof`, pins)).toMatchObject({ ok: true });
    }
    await expect(proveRecord(placeOf(directory), { seq: 150 })).rejects.toMatchObject({ code: "not_found" });
    const reader = openLedgerReader(directory);
    onTestFinished(() => reader.close());
    const whole = await reader.growth({ environment: "dev", size: 7 });
    expect(whole.path.length).toBeGreaterThan(3);
  });

  it("searches find what is there, with an index and without", async () => {
    const key = openIndexKey(directory, openSealer(directory));
    for (const indexKey of [null, key]) {
      const reader = openLedgerReader(directory, indexKey);
      await reader.care();
      const acts = await reader.search({ type: "key.revoked", limit: 50, order: "oldest" });
      expect(acts.map(({ fields }) => fields["key"])).toEqual(
        Array.from({ length: 10 }, (_, n) => `K${n * 101 + 101}`),
      );
      expect(
        await reader.search({ address: "10.0.0.3", limit: 5, order: "newest", until: START_MS + 500_000 }),
      ).toEqual([]);
      expect(await reader.search({ type: "ledger.ended", limit: 5, order: "newest" })).toHaveLength(2);
      reader.close();
    }
    expect(readdirSync(join(directory, "index")).length).toBeGreaterThan(1);
  });

  it("once is enough, and later the rest is let go of as a whole", async () => {
    const [first] = segmentsOf(directory);
    const text = readFileSync(first!, "utf8");
    await openLater(directory, 60);
    expect(readFileSync(first!, "utf8")).toBe(text);
    await openLater(directory, 401);
    expect(segmentsOf(directory)).not.toContain(first);
    expect(await verifyPath(directory, noPins)).toMatchObject({ ok: true });
    const out = join(folder(), "tiles");
    await exportAudit(placeOf(directory), { format: "tiles", out });
    expect(await verifyPath(out, noPins)).toMatchObject({ ok: true });
  });

  const harm = async (change: (lines: string[]) => void) => {
    const [first] = segmentsOf(directory);
    const lines = linesOf(first!);
    change(lines);
    writeFileSync(first!, `${lines.join("\n")}\n`);
    return verifyPath(directory, noPins);
  };
  const endedOf = (line: string): string => {
    const { seq, environment } = JSON.parse(line) as { seq: number; environment: string };
    return `{"seq":${seq},"ended":"${environment}","leaf":"${"a".repeat(64)}"}`;
  };

  it.each([
    [
      "an act is made to look like a request that ended",
      (lines: string[]) => lines.splice(100, 1, endedOf(lines[100]!)),
      101,
    ],
    [
      "one that ended has another hash",
      (lines: string[]) => lines.splice(50, 1, lines[50]!.replace(/"leaf":"..../, '"leaf":"0000')),
      undefined,
    ],
    [
      "one that ended is said to be of another log",
      (lines: string[]) => lines.splice(50, 1, lines[50]!.replace(/"ended":"[a-z]+"/, '"ended":"staging"')),
      undefined,
    ],
    ["one that ended is missing", (lines: string[]) => lines.splice(50, 1), 51],
    ["one that ended is there twice", (lines: string[]) => lines.splice(50, 0, lines[50]!), 52],
    [
      "the record before one that ended was changed",
      (lines: string[]) => lines.splice(100, 1, lines[100]!.replace("by_hand", "by_mind")),
      undefined,
    ],
    ["a field more", (lines: string[]) => lines.splice(50, 1, lines[50]!.replace('"leaf"', '"x":1,"leaf"')), 51],
  ])("%s: found", async (_, change, seq) => {
    const verdict = await harm((lines) => void change(lines));
    expect(verdict.ok).toBe(false);
    if (seq !== undefined) expect(verdict.firstDamage!.seq).toBe(seq);
  });

  it("the very leaf of an act in its place is found by the act that does not name it", async () => {
    const { hash } = await import("node:crypto");
    const verdict = await harm((lines) => {
      const line = lines[100]!;
      const { seq, environment } = JSON.parse(line) as { seq: number; environment: string };
      const leaf = hash("sha256", `\0${line}`, "hex");
      const own = hash("sha256", line, "hex");
      lines.splice(100, 1, `{"seq":${seq},"ended":"${environment}","leaf":"${leaf}","hash":"${own}"}`);
    });
    expect(verdict.firstDamage!.reason).toContain("no end of its time is recorded");
  });
});

it("a damaged segment ends nothing, and nothing after it does: it is evidence", async () => {
  const [first, second] = segmentsOf(directory);
  const lines = linesOf(first!);
  writeFileSync(
    first!,
    `${lines.with(20, lines[20]!.replace("llama3.2", "llama3.3}")).join("\n")}\n`.replace(
      '"type":"request.intent"',
      '"type" :"request.intent"',
    ),
  );
  const text = readFileSync(second!, "utf8");
  await openLater(directory, 31);
  expect([readFileSync(first!, "utf8"), readFileSync(second!, "utf8")].some((one) => one.includes('"ended"'))).toBe(
    false,
  );
  expect(text.includes('"ended"')).toBe(false);
});

it("killed between the record and the file, it goes on: what was said twice was done once", async () => {
  await openLater(directory, 31);
  const [first] = segmentsOf(directory);
  const ended = readFileSync(first!, "utf8");
  // As if the mark had not been written, nor the second file.
  const database = openDatabase(join(directory, "sallyport.db"), { isReadOnly: false });
  database.exec("DELETE FROM meta WHERE name = 'ended'");
  database.close();
  await openLater(directory, 32);
  expect(readFileSync(first!, "utf8")).toBe(ended);
  expect(await verifyPath(directory, noPins)).toMatchObject({ ok: true });
});

describe("where the ledger has more bytes than it may", () => {
  const bytesOf = (path: string): number => readFileSync(path).length;
  const total = (): number => segmentsOf(directory).reduce((sum, path) => sum + bytesOf(path), 0);
  async function openWith(retentionBytes: number): Promise<void> {
    const { store } = await open({
      directory,
      ledger: { ...ledger, retentionBytes },
      segmentRecords,
      clock: at(DAY_MS),
    });
    await store.close();
  }
  const read = (n: number): string =>
    encodeEvent({
      type: "audit.read",
      at: START_MS + n,
      environment: "dev",
      actor: "key:viewer",
      fields: { n, filter: "x".repeat(600) },
    });
  const typesOf = (path: string): string[] => linesOf(path).flatMap((one) => /"type":"([^"]+)"/.exec(one)?.[1] ?? []);

  it("requests end in the oldest segments first, whatever their age, and every act stays", async () => {
    const names = segmentsOf(directory);
    const newest = readFileSync(names[1]!, "utf8");
    await openWith(total() - 1_000);
    expect(segmentsOf(directory).slice(0, 2)).toEqual(names.slice(0, 2));
    expect(typesOf(names[0]!).filter((type) => type === "key.revoked")).toHaveLength(2);
    expect(typesOf(names[0]!).filter((type) => type.startsWith("request.")).length).toBeLessThanOrEqual(2);
    expect(readFileSync(names[1]!, "utf8")).toBe(newest);
    expect(await openLedgerReader(directory).verify(noPins)).toMatchObject({ ok: true });
  });

  it("a segment goes with its acts only when nothing else is left to end", async () => {
    const names = segmentsOf(directory);
    await openWith(16 * 1024);
    expect(segmentsOf(directory)).not.toContain(names[0]);
    expect(await openLedgerReader(directory).verify(noPins)).toMatchObject({ ok: true });
  });

  it("whoever reads the audit log pushes out his own reads, and no evidence", async () => {
    directory = makeDirectory();
    const { store } = await open({ directory, ledger, segmentRecords });
    for (let n = 0; n < 1_000; n++) store.append(n % 100 === 50 ? act(n) : read(n));
    await store.close();
    const before = segmentsOf(directory);
    await openWith(Math.floor(total() / 2));
    expect(segmentsOf(directory)).toEqual(expect.arrayContaining(before.slice(0, -1)));
    const left = segmentsOf(directory).flatMap(typesOf);
    expect(left.filter((type) => type === "key.revoked").length).toBe(9);
    expect(left.filter((type) => type === "audit.read").length).toBeLessThan(500);
    expect(await openLedgerReader(directory).verify(noPins)).toMatchObject({ ok: true });
  });
});
