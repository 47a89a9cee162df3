/** Everything somebody may do to a ledger that was handed out, and where the verifier says it was done. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { formatBundle, noPins, parseBundle, parseCheckpoint } from "@sallyport/ledger";
import type { LedgerVerdict, Pins } from "@sallyport/ledger";
import {
  dataPaths,
  exportAudit,
  openDatabase,
  openSealer,
  openSigningKey,
  openStore,
  signerFromPem,
  verifyPath,
} from "../program-under-test.ts";
import { initDirectory, rebind, StandingClock } from "../store/store-fixture.ts";
import { copyOf, ENVIRONMENTS, makeFolder, pinsOf, placeOf, write } from "./ledger-fixture.ts";

const COUNT = 2_400;
const undo: (() => void)[] = [];
let root: string;
let directory: string;
let tiles: string;
let rows: string;
let pins: Pins;

const openAt = (path: string) =>
  openStore({
    directory: path,
    clock: new StandingClock(),
    segmentRecords: 500,
    ledger: {
      retentionDays: 3_650,
      retentionBytes: 1e12,
      reserveBytes: 0,
      requestDays: 3_650,
      personalDays: 3_650,
      securityPersonalDays: 3_650,
    },
  });

/** A node whose ledger has the same events, or others, and a key of its own. */
async function makeNode(name: string, count: number, salt = ""): Promise<string> {
  const path = join(root, name);
  initDirectory(path);
  const store = await openAt(path);
  await write(store, 1, count, salt);
  await store.close();
  return path;
}

beforeAll(async () => {
  root = makeFolder((work) => undo.push(work));
  directory = await makeNode("data", COUNT);
  tiles = join(root, "tiles");
  rows = join(root, "rows.jsonl");
  await exportAudit(placeOf(directory), { format: "tiles", out: tiles });
  await exportAudit(placeOf(directory), { format: "jsonl", out: rows });
  pins = await pinsOf(directory);
});
afterAll(() => undo.forEach((work) => work()));

/** A copy of the export, harmed and verified. */
async function harm(work: (path: string) => unknown, known = noPins): Promise<LedgerVerdict> {
  const folder = makeFolder((end) => onTestFinished(end));
  const path = copyOf(tiles, join(folder, "copy"));
  await work(path);
  return verifyPath(path, known);
}

const bundle = (environment: string, n = 1) => `${environment}/tile/entries/${String(n).padStart(3, "0")}`;

/** One bit, so far into the file. */
function flip(path: string, place: number): void {
  const bytes = readFileSync(path);
  const at = Math.floor(place * (bytes.length - 1));
  bytes[at] = bytes[at]! ^ 1;
  writeFileSync(path, bytes);
}

function editEntries(path: string, work: (entries: Uint8Array[]) => Uint8Array[]): void {
  writeFileSync(path, formatBundle(work([...parseBundle(readFileSync(path))!])));
}

describe("what is whole", () => {
  it("verifies wherever it is copied to, with and without what was kept of it", async () => {
    for (const known of [noPins, pins]) {
      expect(await harm(() => {}, known)).toMatchObject({ ok: true, records: COUNT, unvouched: [] });
      expect(await verifyPath(rows, known)).toMatchObject({ ok: true, records: COUNT });
      expect(await verifyPath(directory, known)).toMatchObject({ ok: true, records: COUNT });
    }
  });

  it("says without a pin what it cannot show, and less with one", async () => {
    const bare = await verifyPath(tiles, noPins);
    expect(bare.cannotShow.join()).toMatch(/another|older copy/);
    expect(bare.cannotShow.join()).toContain("forged the whole log");
    expect((await verifyPath(tiles, pins)).cannotShow.join()).not.toContain("forged the whole log");
  });
});

describe("tiles: every file", () => {
  const harms: [string, (path: string) => void][] = [
    ["removed", (path) => rmSync(path)],
    ["with one bit flipped in its middle", (path) => flip(path, 0.5)],
    ["with its first bit flipped", (path) => flip(path, 0)],
    ["cut by one byte", (path) => writeFileSync(path, readFileSync(path).subarray(0, -1))],
    ["with one byte more", (path) => writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from([10])]))],
    ["emptied", (path) => writeFileSync(path, "")],
  ];
  for (const [how, work] of harms) {
    it(`is missed when it is ${how}`, async () => {
      for (const file of ["manifest", ...listed()]) {
        const verdict = await harm((path) => work(join(path, file)));
        expect([file, verdict.ok, verdict.firstDamage !== undefined]).toEqual([file, false, true]);
        if (how === "removed") expect(verdict.firstDamage!.reason).toMatch(/missing|no manifest/);
      }
    }, 60_000);
  }

  it("is missed when there is one more", async () => {
    const verdict = await harm((path) => writeFileSync(join(path, "dev", "more"), ""));
    expect(verdict).toMatchObject({ ok: false, firstDamage: { file: "dev/more" } });
  });

  it("is missed when two have changed places", async () => {
    const verdict = await harm((path) => {
      const [one, other] = [join(path, bundle("dev", 0)), join(path, bundle("dev", 1))];
      renameSync(one, `${one}.x`);
      renameSync(other, one);
      renameSync(`${one}.x`, other);
    });
    expect(verdict.ok).toBe(false);
    expect(verdict.firstDamage!.file).toContain("dev/");
  });

  /** A sample of every kind, from the signed manifest. */
  function listed(): readonly string[] {
    const paths = readFileSync(join(tiles, "manifest"), "utf8")
      .split("\n")
      .filter((line) => line.startsWith("file "))
      .map((line) => line.split(" ")[3]!);
    return paths.filter((path) => path.startsWith("prod/"));
  }
});

describe("tiles: a record is named by its number", () => {
  const at = (environment: string, index: number) => 3 * index + ([3, 1, 2][ENVIRONMENTS.indexOf(environment)] ?? 0);

  it("that was changed", async () => {
    const verdict = await harm((path) =>
      editEntries(join(path, bundle("staging")), (entries) =>
        entries.with(7, Buffer.from(Buffer.from(entries[7]!).toString().replace("llama3.2", "llama3.3"))),
      ),
    );
    expect(verdict).toMatchObject({ ok: false, firstDamage: { seq: at("staging", 263), file: bundle("staging") } });
    expect(verdict.firstDamage!.reason).toContain("changed");
  });

  it("that was removed, doubled, or put in another place", async () => {
    const edits: ((entries: Uint8Array[]) => Uint8Array[])[] = [
      (entries) => entries.toSpliced(7, 1),
      (entries) => entries.toSpliced(7, 0, entries[7]!),
      (entries) => entries.with(7, entries[8]!).with(8, entries[7]!),
      (entries) => entries.slice(0, -1),
    ];
    for (const edit of edits) {
      const verdict = await harm((path) => editEntries(join(path, bundle("staging")), edit));
      expect(verdict.ok).toBe(false);
      expect(verdict.firstDamage!.file).toContain("staging/");
    }
  });

  it("whose address was changed beside it", async () => {
    const verdict = await harm((path) => {
      const beside = join(path, "prod", "beside");
      const lines = readFileSync(beside, "utf8").split("\n");
      writeFileSync(beside, lines.with(300, lines[300]!.replace(/10\.0\.0\.\d/, "10.0.9.9")).join("\n"));
    });
    expect(verdict).toMatchObject({ ok: false, firstDamage: { seq: at("prod", 300), file: "prod/beside" } });
  });

  it("of another environment among them", async () => {
    const verdict = await harm((path) => {
      const other = parseBundle(readFileSync(join(path, bundle("dev", 0))))![3]!;
      editEntries(join(path, bundle("prod", 0)), (entries) => entries.with(3, other));
    });
    expect(verdict.firstDamage).toMatchObject({
      file: bundle("prod", 0),
      reason: expect.stringContaining("environment"),
    });
  });
});

describe("rows", () => {
  async function harmRows(work: (lines: string[]) => string[]): Promise<LedgerVerdict> {
    const folder = makeFolder((end) => onTestFinished(end));
    const path = join(folder, "rows.jsonl");
    copyOf(`${rows}.manifest`, `${path}.manifest`);
    writeFileSync(path, work(readFileSync(rows, "utf8").split("\n")).join("\n"));
    return verifyPath(path, noPins);
  }

  it.each<[string, (lines: string[]) => string[], number]>([
    ["a record changed", (lines) => lines.with(99, lines[99]!.replace("llama3.2", "llama3.3")), 100],
    ["an address changed", (lines) => lines.with(99, lines[99]!.replace(/10\.0\.0\.\d/, "10.0.9.9")), 100],
    ["a record removed", (lines) => lines.toSpliced(99, 1), 100],
    ["two records exchanged", (lines) => lines.with(99, lines[100]!).with(100, lines[99]!), 100],
    ["a record doubled", (lines) => lines.toSpliced(99, 0, lines[99]!), 101],
    ["the end cut off", (lines) => [...lines.slice(0, 2_000), ""], 2_001],
    [
      "the last record changed",
      (lines) => lines.with(COUNT - 1, lines[COUNT - 1]!.replace("llama3.2", "llama3.3")),
      COUNT,
    ],
    ["a line that is none", (lines) => lines.with(99, "{}"), 100],
    ["a member twice", (lines) => lines.with(99, lines[99]!.replace('{"seq":', '{"seq":7,"seq":')), 100],
  ])("%s", async (_, work, seq) => {
    expect(await harmRows(work)).toMatchObject({ ok: false, firstDamage: { seq, file: "rows.jsonl" } });
  });

  it("are nothing without their manifest", async () => {
    const folder = makeFolder((end) => onTestFinished(end));
    const path = copyOf(rows, join(folder, "rows.jsonl"));
    expect(await verifyPath(path, noPins)).toMatchObject({ ok: false, firstDamage: { file: "manifest" } });
  });
});

describe("the whole, made anew by somebody with a key", () => {
  /** The same node's name on other keys: what whoever takes the export's place can make. */
  async function forge(count: number, salt: string): Promise<string> {
    const folder = makeFolder((end) => onTestFinished(end));
    const node = openDatabase(join(directory, "sallyport.db"), { isReadOnly: true });
    const name = String(node.prepare("SELECT value FROM meta WHERE name = 'node'").get()!["value"]);
    node.close();
    const data = join(folder, "data");
    initDirectory(data);
    const database = openDatabase(join(data, "sallyport.db"), { isReadOnly: false });
    database.prepare("UPDATE meta SET value = ? WHERE name = 'node'").run(name);
    database.close();
    rebind(data);
    const store = await openAt(data);
    await write(store, 1, count, salt);
    await store.close();
    const out = join(folder, "forged");
    await exportAudit(placeOf(data), { format: "tiles", out });
    return out;
  }

  it("is whole by its own word, and found by the pinned keys", async () => {
    const forged = await forge(COUNT, "-other");
    expect(await verifyPath(forged, noPins)).toMatchObject({ ok: true });
    const verdict = await verifyPath(forged, pins);
    expect(verdict).toMatchObject({ ok: false, firstDamage: { file: "manifest" } });
    expect(verdict.firstDamage!.reason).toContain("pinned");
  });

  /** The node's own key, in the hands of whoever writes its history anew. */
  async function rewrite(count: number, salt: string): Promise<string> {
    const folder = makeFolder((end) => onTestFinished(end));
    const data = copyOf(directory, join(folder, "data"));
    const database = openDatabase(join(data, "sallyport.db"), { isReadOnly: false });
    database.exec("DELETE FROM ledger; DELETE FROM log");
    const key = openSigningKey(dataPaths(data), openSealer(data));
    const head = signerFromPem(key.export({ type: "pkcs8", format: "pem" }) as string).sign({
      seq: 0,
      hash: "0".repeat(64),
      at: 1,
    });
    database.prepare("UPDATE meta SET value = ? WHERE name = 'head'").run(JSON.stringify(head));
    database.close();
    rebind(data);
    rmSync(join(data, "ledger"), { recursive: true });
    mkdirSync(join(data, "ledger"), { mode: 0o700 });
    copyOf(join(directory, "ledger", "public.pem"), join(data, "ledger", "public.pem"));
    const store = await openAt(data);
    await write(store, 1, count, salt);
    await store.close();
    const out = join(folder, "rewritten");
    await exportAudit(placeOf(data), { format: "tiles", out });
    return out;
  }

  it("with the old checkpoint put back is found by the tree it names", async () => {
    const data = join(await rewrite(COUNT, "-other"), "..", "data");
    const text = readFileSync(join(tiles, "dev", "checkpoint"), "utf8");
    const database = openDatabase(join(data, "sallyport.db"), { isReadOnly: false });
    database.prepare("UPDATE log SET checkpoint = ? WHERE environment = 'dev'").run(text);
    database.close();
    const verdict = await verifyPath(data, pins);
    expect(verdict.ok).toBe(false);
    expect(verdict.firstDamage!.reason).toContain("names another tree");
  });

  const kept = (path: string, environment: string) => {
    const checkpoint = parseCheckpoint(readFileSync(join(path, environment, "checkpoint"), "utf8"))!;
    return { ...pins, checkpoints: [checkpoint] };
  };

  it("with the node's own key is found by a checkpoint that was kept", async () => {
    const rewritten = await rewrite(COUNT + 300, "-other");
    // Nothing in the files can show it: the keys are the node's own.
    expect(await verifyPath(rewritten, pins)).toMatchObject({ ok: true });
    const verdict = await verifyPath(rewritten, kept(tiles, "prod"));
    expect(verdict.ok).toBe(false);
    expect(verdict.firstDamage!.reason).toContain("rewritten");
  });

  it("an older copy of the whole is found by a checkpoint that was kept", async () => {
    const older = await rewrite(COUNT - 600, "");
    expect(await verifyPath(older, pins)).toMatchObject({ ok: true });
    const verdict = await verifyPath(older, kept(tiles, "dev"));
    expect(verdict.firstDamage!.reason).toContain("rolled back");
  });

  it("the ledger as it grew on is found whole by the same checkpoint", async () => {
    const folder = makeFolder((end) => onTestFinished(end));
    const data = copyOf(directory, join(folder, "data"));
    const store = await openAt(data);
    await write(store, COUNT + 1, 700);
    await store.close();
    expect(await verifyPath(data, kept(tiles, "prod"))).toMatchObject({ ok: true, records: COUNT + 700 });
  });
});
