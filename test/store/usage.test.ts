/** The usage counters are the fold of the audit log, whatever happens between two commits. */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { encodeEvent } from "@sallyport/ledger";
import fc from "fast-check";
import { expect, it } from "vitest";
import { openDatabase, openLedgerReader } from "../program-under-test.ts";
import { foldOf, usageOf } from "../usage-fold.ts";
import { DAY_MS, makeDirectory, killed, open, START_MS } from "./store-fixture.ts";
import type { Opened } from "./store-fixture.ts";

async function recordsOf(directory: string) {
  const log = openLedgerReader(directory);
  const records = await log.search({ order: "oldest", limit: 1e9 });
  log.close();
  return records;
}

function countersOf(directory: string) {
  const database = openDatabase(join(directory, "sallyport.db"), { isReadOnly: true });
  try {
    return usageOf(database.prepare("SELECT * FROM usage").all());
  } finally {
    database.close();
  }
}

/** The same once the store has been opened again, and has counted what was not counted. */
async function countersAfterStart(directory: string) {
  const { store } = await open({ directory });
  expect(await store.countUsage()).toBe(true);
  await store.close();
  return countersOf(directory);
}

interface Wish {
  readonly type:
    | "request.intent"
    | "request.outcome"
    | "model.outcome"
    | "request.refused"
    | "request.refused_coalesced";
  readonly day: number;
  readonly key: number;
  readonly model: number;
  readonly tokens: number;
  readonly isServed: boolean;
}

function lineOf({ type, day, key, model, tokens, isServed }: Wish): string {
  const isDenial = type.startsWith("request.refused");
  return encodeEvent({
    type,
    at: START_MS + day * DAY_MS + tokens,
    environment: key % 2 === 0 ? "dev" : "prod",
    actor: `key:key${key}`,
    fields: {
      principal: `p${key % 3}`,
      ...(isDenial ? { code: `code_${model}`, count: 1 + (tokens % 5) } : { outcome: isServed ? "served" : "upstream_error" }),
      model: model === 0 ? null : `m${model}`,
      team: key === 1 ? null : "research",
      ...(isDenial ? {} : { input_tokens: tokens, output_tokens: 2 * tokens, is_estimated: tokens % 7 === 0, compute_ms: 3 * tokens, queue_ms: 1, bytes_in: tokens, bytes: 9 }),
    },
  }); // prettier-ignore
}

const wish: fc.Arbitrary<Wish> = fc.record({
  type: fc.constantFrom(
    "request.intent",
    "request.outcome",
    "model.outcome",
    "request.refused",
    "request.refused_coalesced",
  ),
  day: fc.nat(2),
  key: fc.nat(3),
  model: fc.nat(4),
  tokens: fc.nat(1_000),
  isServed: fc.boolean(),
});
/** Records, and what happens after them. */
const step = fc.record({
  records: fc.array(wish, { minLength: 1, maxLength: 12 }),
  event: fc.constantFrom("nothing", "count", "restart", "kill"),
});

async function append({ store }: Opened, records: readonly Wish[]): Promise<void> {
  const tickets = records.map((one) => store.append(lineOf(one))!);
  await new Promise<void>((resolve) => store.whenDurable(tickets.at(-1)!, () => resolve()));
}

it(
  "the counters equal the fold of the audit log over restarts and kills between commits",
  { timeout: 120_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
        let directory = makeDirectory();
        let opened = await open({ directory, segmentRecords: 10 });
        for (const { records, event } of steps) {
          await append(opened, records);
          if (event === "count") await opened.store.countUsage();
          if (event === "kill") directory = killed(directory);
          if (event === "kill" || event === "restart") {
            await opened.store.close();
            opened = await open({ directory, segmentRecords: 10 });
          }
        }
        const left = killed(directory);
        await opened.store.close();
        const expected = foldOf(await recordsOf(directory));
        expect(countersOf(directory)).toEqual(expected);
        expect(await countersAfterStart(left)).toEqual(expected);
      }),
      { numRuns: 10, endOnFailure: true },
    );
  },
);

it("counting waits for nothing and is written within seconds, or at once when it is asked for", async () => {
  const opened = await open();
  await append(opened, [{ type: "request.outcome", day: 0, key: 0, model: 1, tokens: 5, isServed: true }]);
  expect(countersOf(opened.directory)).toEqual([]);
  await opened.store.countUsage();
  expect(countersOf(opened.directory)).toMatchObject([{ requests: 1, inputTokens: 5, computeMs: 15 }]);
});

it("what cannot be counted keeps no record from being committed, and is counted later", async () => {
  const opened = await open();
  const some = (count: number): Wish[] =>
    Array.from({ length: count }, (_, n) => ({ type: "request.outcome", day: 0, key: n % 4, model: 1, tokens: n, isServed: true })); // prettier-ignore
  await append(opened, some(10));
  await opened.store.countUsage();
  const database = openDatabase(join(opened.directory, "sallyport.db"), { isReadOnly: false });
  database.exec("ALTER TABLE usage RENAME TO usage_away");
  await append(opened, some(900));
  expect(await opened.store.countUsage()).toBe(false);
  expect(opened.store.isWritable()).toBe(true);
  expect(opened.troubles.join()).toContain("is counted again later");
  await append(opened, some(20));
  database.exec("ALTER TABLE usage_away RENAME TO usage");
  database.close();
  await append(opened, some(30));
  expect(await opened.store.countUsage()).toBe(true);
  expect(countersOf(opened.directory)).toEqual(foldOf(await recordsOf(opened.directory)));
});

it("counters outlive the records, and the key", async () => {
  const directory = makeDirectory();
  const ledger = { retentionDays: 1, retentionBytes: 1, reserveBytes: 65_536, requestDays: 1, personalDays: 1, securityPersonalDays: 1 }; // prettier-ignore
  const opened = await open({ directory, segmentRecords: 5, ledger });
  const wishes = Array.from({ length: 40 }, (_, n): Wish => ({ type: "request.outcome", day: 0, key: 0, model: 1, tokens: n, isServed: true })); // prettier-ignore
  await append(opened, wishes);
  await opened.store.close();
  const again = await open({ directory, segmentRecords: 5, ledger });
  await again.store.close();
  expect((await recordsOf(directory)).filter(({ type }) => type === "request.outcome").length).toBeLessThan(40);
  expect(countersOf(directory)).toMatchObject([{ requests: 40, inputTokens: 780 }]);
});

it("a rebuild leaves days alone of which the audit log has lost records", async () => {
  const directory = makeDirectory();
  const opened = await open({ directory, segmentRecords: 5 });
  const at = (day: number): Wish => ({ type: "request.outcome", day, key: 0, model: 1, tokens: 1, isServed: true });
  for (const day of [0, 0, 1, 1, 2, 2])
    await append(
      opened,
      Array.from({ length: 6 }, () => at(day)),
    );
  await opened.store.close();
  // The oldest segments go, with all records of the first day and some of the second.
  for (const name of readdirSync(join(directory, "ledger"))
    .filter((file) => file.endsWith(".jsonl"))
    .slice(0, 3))
    rmSync(join(directory, "ledger", name));
  const database = openDatabase(join(directory, "sallyport.db"), { isReadOnly: false });
  database.exec("UPDATE usage SET requests = 99");
  database.close();
  const log = openLedgerReader(directory);
  const today = Math.floor(START_MS / DAY_MS) + 2;
  const { corrections, firstDay, records } = await log.recountUsage(today, () => undefined);
  log.close();
  expect([corrections.usage.map(({ day, requests }) => [day, requests]), firstDay]).toEqual([
    [[today, 12 - 99]],
    today,
  ]);
  expect(records).toBeGreaterThan(12);
});

it("a record that is taken back with its change is not counted", async () => {
  const opened = await open();
  const about = { type: "request.refused", at: START_MS, actor: "key:k", fields: { code: "x" } } as const;
  // The first record is written before the second one undoes the change.
  const refused = opened.store.change({
    operations: [],
    events: [
      { ...about, environment: "dev" },
      { ...about, environment: "no name" },
    ],
  });
  await expect(refused).rejects.toMatchObject({ code: "input_invalid" });
  await opened.store.countUsage();
  expect(countersOf(opened.directory)).toEqual([]);
});

it("days older than 400 are removed at a start", async () => {
  const directory = makeDirectory();
  const first = await open({ directory });
  const at = (day: number): Wish => ({ type: "request.outcome", day, key: 0, model: 1, tokens: 1, isServed: true });
  await append(first, [at(-400), at(-399), at(0)]);
  await first.store.close();
  const second = await open({ directory });
  await second.store.close();
  expect(countersOf(directory).map(({ day }) => day - Math.floor(START_MS / DAY_MS))).toEqual([-399, 0]);
});
