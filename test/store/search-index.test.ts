/** Searching by index: the same answers as reading everything, and no index that could hide a record is relied on. */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { encodeEvent } from "@sallyport/ledger";
import { isBackupName, openLedgerReader, SegmentIndex, wantedOf } from "../program-under-test.ts";
import type { AuditFilter, LedgerReader } from "../program-under-test.ts";
import { DAY_MS, makeDirectory, open, settled, START_MS } from "./store-fixture.ts";

const KEY = Buffer.alloc(32, 7);
const RECORDS = 2_600;
const SEGMENT = 1_000;
let directory: string;
let indexed: LedgerReader;
let plain: LedgerReader;

/** Record `seq` at second `seq`; one key of a thousand is rare. */
function lineOf(seq: number): string {
  return encodeEvent({
    type: seq % 97 === 0 ? "request.refused" : "request.intent",
    at: START_MS + seq * 1_000,
    environment: ["dev", "staging", "prod"][seq % 3]!,
    actor: seq % 1_000 === 500 ? "key:rare" : `key:k${seq % 7}`,
    fields: {
      principal: `p${seq % 5}`,
      code: seq % 97 === 0 ? "model_denied" : null,
      model: seq === 1_234 ? "lläma" : "llama3.2",
      address: `10.${seq % 4}.0.${seq % 200}`,
      ...(seq === 77 ? { key: "k-told" } : {}),
    },
  });
}

beforeEach(async () => {
  directory = makeDirectory();
  const { store } = await open({ directory, segmentRecords: SEGMENT });
  for (let seq = 1; seq <= RECORDS; seq += 100) {
    let ticket: number | undefined;
    for (let i = seq; i < seq + 100; i++) ticket = store.append(lineOf(i));
    await settled(store, ticket);
  }
  await store.close();
  indexed = openLedgerReader(directory, KEY);
  plain = openLedgerReader(directory);
  await indexed.care();
  return () => {
    indexed.close();
    plain.close();
  };
});

const segment = (first: number): string => join(directory, "ledger", `${String(first).padStart(16, "0")}.jsonl`);
const index = (first: number): string => join(directory, "index", `${String(first).padStart(16, "0")}.idx`);
const seqs = async (log: LedgerReader, filter: Partial<AuditFilter>): Promise<number[]> =>
  (await log.search({ limit: 10_000, order: "oldest", ...filter })).map(({ seq }) => seq);

const filters: readonly Partial<AuditFilter>[] = [
  {},
  { key: "rare" },
  { key: "k-told" },
  { key: "k3", code: "model_denied" },
  { principal: "p2", environment: "prod" },
  { environments: ["dev", "staging"], type: "request.refused" },
  { types: ["request.refused", "key.issued"] },
  { model: "lläma" },
  { model: "nothing" },
  { address: "10.1.0.0/16" },
  { address: "10.2.0.102" },
  { address: "::ffff:10.2.0.102" },
  { address: "192.168.0.0/16" },
  { since: START_MS + 900_000, until: START_MS + 1_100_000 },
  { after: 990, before: 1_300 },
  { key: "k1", after: 300, before: 2_100, limit: 7 },
];

describe("search by index", () => {
  it.each(filters)("answers as reading everything does: %j", async (filter) => {
    for (const order of ["oldest", "newest"] as const) {
      const found = await seqs(indexed, { ...filter, order });
      expect(found).toEqual(await seqs(plain, { ...filter, order }));
    }
  });

  it("reads only the blocks that can hold what is wanted, and is small beside its segment", () => {
    const bytes = readFileSync(index(1));
    const bounds = { after: 0, before: Infinity, since: -Infinity, until: Infinity };
    const blocks = (filter: Partial<AuditFilter>) =>
      SegmentIndex.open(bytes, KEY)!.blocks(wantedOf({ limit: 1, order: "newest", ...filter }), bounds);
    expect(blocks({})).toEqual([0, 1, 2, 3]);
    expect(blocks({ key: "rare" })).toEqual([1]);
    expect(blocks({ key: "k1", code: "model_denied" })).toEqual([0, 1, 2, 3]);
    expect(blocks({ key: "rare", code: "model_denied" })).toEqual([1]);
    expect(blocks({ key: "k-told", model: "lläma" })).toEqual([]);
    expect(bytes.length).toBeLessThan(statSync(segment(1)).size / 10);
  });

  it("pages back and forth without a gap", async () => {
    const pages: number[] = [];
    for (let before: number | undefined; ;) {
      const page = await seqs(indexed, { key: "k2", order: "newest", limit: 50, ...(before ? { before } : {}) });
      if (page.length === 0) break;
      pages.push(...page);
      before = page.at(-1)!;
    }
    expect(pages).toEqual(await seqs(plain, { key: "k2", order: "newest" }));
  });

  it("tells a follower how far it looked and where the ledger begins", async () => {
    const all = await indexed.read({ key: "nobody", order: "oldest", limit: 10, after: 0 });
    expect(all).toEqual({ records: [], through: RECORDS, first: 1 });
    const cut = await indexed.read({ key: "rare", order: "oldest", limit: 2 });
    expect(cut).toMatchObject({ through: 1_500, first: 1 });
  });
});

describe("an index that is", () => {
  /** The readers of a new process. */
  async function again(filter: Partial<AuditFilter>, key = KEY): Promise<number[]> {
    const log = openLedgerReader(directory, key);
    const found = await seqs(log, filter);
    log.close();
    return found;
  }

  it("missing, is made again, and searches are whole before", async () => {
    rmSync(index(1));
    expect(await seqs(indexed, { key: "rare" })).toEqual([500, 1_500, 2_500]);
    expect(await again({ key: "rare" })).toEqual([500, 1_500, 2_500]);
    await indexed.care();
    expect(await again({ key: "rare" })).toEqual([500, 1_500, 2_500]);
  });

  it.each([
    ["cut off", (bytes: Buffer) => bytes.subarray(0, 100)],
    ["empty", () => Buffer.alloc(0)],
    [
      "flipped in one bit",
      (bytes: Buffer) => Buffer.from(bytes.map((byte, i) => (i === bytes.length >> 1 ? byte ^ 1 : byte))),
    ],
    ["of another segment", () => readFileSync(index(1_001))],
  ])("%s, hides nothing and is made anew", async (_, harm) => {
    writeFileSync(index(1), harm(readFileSync(index(1))));
    expect(await again({ key: "rare" })).toEqual([500, 1_500, 2_500]);
    const log = openLedgerReader(directory, KEY);
    const harmed = readFileSync(index(1));
    await log.care();
    expect(readFileSync(index(1)).equals(harmed)).toBe(false);
    expect(await seqs(log, { key: "rare" })).toEqual([500, 1_500, 2_500]);
    log.close();
  });

  it("made by somebody without the gateway's key, hides nothing", async () => {
    // He knows the form and leaves the rare key out: the same bytes under another key stand for that.
    const forger = openLedgerReader(directory, Buffer.alloc(32, 8));
    rmSync(index(1));
    await forger.care();
    forger.close();
    expect(existsSync(index(1))).toBe(true);
    writeFileSync(index(1), readFileSync(index(1)));
    expect(await again({ key: "rare" })).toEqual([500, 1_500, 2_500]);
  });

  it("older than its segment's bytes, does not count: not even with the old size and time", async () => {
    const path = segment(1);
    const { atime, mtime } = statSync(path);
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace('"actor":"key:k1"', '"actor":"key:kX"'));
    utimesSync(path, atime, mtime);
    expect(await again({ key: "kX" })).toEqual([1]);
    // The reader that was open sees it too: the file's change time cannot be set back.
    expect(await seqs(indexed, { key: "kX" })).toEqual([1]);
  });

  it("of a damaged segment, is not made: the lines that are whole are found", async () => {
    const path = segment(1);
    writeFileSync(path, readFileSync(path, "utf8").replace('"seq":120,', '"seq":120, '));
    const log = openLedgerReader(directory, KEY);
    await log.care();
    expect(await seqs(log, { key: "rare" })).toEqual([500, 1_500, 2_500]);
    log.close();
  });
});

it("an index goes with the personal fields that are erased: no address is left in it, and what is left is indexed anew", async () => {
  expect(await seqs(indexed, { address: "10.2.0.102" })).not.toEqual([]);
  expect(readFileSync(index(1), "latin1")).toContain("10.2.0.102");
  const later = { now: () => START_MS + 40 * DAY_MS, monotonic: () => 0 };
  const ledger = {
    retentionDays: 3_650,
    retentionBytes: 1e12,
    reserveBytes: 64 * 1024,
    requestDays: 3_650,
    personalDays: 30,
    securityPersonalDays: 30,
  };
  const { store } = await open({ directory, clock: later, ledger, segmentRecords: SEGMENT });
  await store.close();
  expect(existsSync(index(1))).toBe(false);
  expect(await seqs(indexed, { address: "10.2.0.102" })).toEqual([]);
  expect(await seqs(indexed, { key: "rare" })).toEqual([500, 1_500, 2_500]);
  await indexed.care();
  expect(readFileSync(index(1), "latin1")).not.toContain("10.2.0.102");
  expect(await seqs(indexed, { key: "rare" })).toEqual([500, 1_500, 2_500]);
});

it("an index goes with its segment, is private, and is part of no backup", async () => {
  expect(readdirSync(join(directory, "index"))).toEqual(["0000000000000001.idx", "0000000000001001.idx"]);
  if (process.platform !== "win32") {
    expect(statSync(index(1)).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, "index")).mode & 0o777).toBe(0o700);
  }
  expect(isBackupName("index/0000000000000001.idx")).toBe(false);
  chmodSync(join(directory, "index"), 0o755);
  copyFileSync(index(1), join(directory, "index", "9999999999999999.idx"));
  await indexed.care();
  expect(readdirSync(join(directory, "index"))).not.toContain("9999999999999999.idx");
  const later = { now: () => START_MS + 40 * DAY_MS, monotonic: () => 0 };
  const ledger = {
    retentionDays: 30,
    retentionBytes: 1e12,
    reserveBytes: 64 * 1024,
    requestDays: 3_650,
    personalDays: 3_650,
    securityPersonalDays: 3_650,
  };
  await open({ directory, clock: later, ledger, segmentRecords: SEGMENT });
  expect(readdirSync(join(directory, "index"))).toEqual([]);
});
