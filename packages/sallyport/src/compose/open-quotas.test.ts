import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AuditRecord } from "../audit/audit-log.ts";
import { openLog } from "../kernel/log.ts";
import { Lease } from "../limits/lease.ts";
import { QuotaBook } from "../limits/quota-book.ts";
import type { QuotaBound } from "../limits/quota.ts";
import type { Core } from "./core.ts";
import { keepQuotas } from "./kept-quotas.ts";
import { openQuotas } from "./open-quotas.ts";

const DAY_MS = 86_400_000;
const NOON = Date.UTC(2026, 10, 30, 12);
const limits = {
  tokens: { amount: 1_000, windowMs: DAY_MS },
  images: { amount: 10, windowMs: DAY_MS },
  bytes: { amount: 9_000, windowMs: DAY_MS },
};
const rows = [{ origin: "role r", account: "dev user ada role r", selector: null, limits }];

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "quotas-"));
  path = join(directory, "quotas.json");
});
afterEach(() => rmSync(directory, { recursive: true }));

function boundOf(name: "tokens" | "images" | "bytes"): QuotaBound {
  const { amount, windowMs } = limits[name];
  return { environment: "dev", account: "dev user ada role r", name, amount, windowMs, zone: "UTC", isSoft: false };
}
const bounds = [boundOf("tokens"), boundOf("images"), boundOf("bytes")];

/** What is left after a start at that time, with these records in the audit log. */
async function leftAt(now: number, records: readonly Partial<AuditRecord>[]): Promise<number[]> {
  const right = { environment: { name: "dev" }, limits: rows };
  const core = {
    clock: { now: () => now },
    keys: { find: () => ({ id: "k", environment: "dev" }) },
    snapshot: () => ({ rightOf: () => right, environments: new Map([["dev", right]]), roles: new Map() }),
    audit: {
      read: ({ since, after }: { since: number; after: number }) =>
        Promise.resolve({ records: after > 0 ? [] : records.filter(({ at }) => at! >= since), through: 1 }),
    },
  } as unknown as Core;
  const opened = await openQuotas(core, path, openLog("silent"));
  const left = bounds.map((bound) => opened.book.room(bounds, bound.name));
  await opened.close();
  return left;
}

function record(type: "intent" | "outcome", request: string, at: number, fields: object): Partial<AuditRecord> {
  const of = { request, upstream: "ollama", model: "llama3.2:latest", ...fields };
  return { type: `request.${type}`, at, environment: "dev", actor: "key:k", fields: of };
}

/** The file of a gateway in which a request had reserved and extended, another one had settled. */
async function keepOne(at: number): Promise<void> {
  const book = new QuotaBook({ now: () => at, onUsedUp: () => {} });
  const lease = book.reserve("running", bounds, { tokens: 100, images: 2 });
  const other = book.reserve("settled", bounds, { tokens: 100 });
  if (!(lease instanceof Lease) || !(other instanceof Lease)) throw new Error("nothing was reserved");
  lease.holdAtLeast({ tokens: 400 });
  other.settle({ tokens: 50, bytes: 100 });
  await keepQuotas(path, { at, uses: book.uses(), open: book.openUses(), settled: ["settled"] });
}

test("a request that ran for hours before the gateway was killed is charged what it held", async () => {
  await keepOne(NOON);
  expect(await leftAt(NOON + 1_000, [])).toEqual([1_000 - 50 - 400, 8, 8_900]);
});

test("one whose end was recorded is charged what it used, once", async () => {
  await keepOne(NOON);
  const outcome = record("outcome", "running", NOON + 500, {
    input_tokens: 20,
    output_tokens: 190,
    bytes_in: 300,
    bytes: 600,
  });
  const again = record("outcome", "settled", NOON + 400, { input_tokens: 20, output_tokens: 30 });
  expect(await leftAt(NOON + 1_000, [again, outcome])).toEqual([1_000 - 50 - 210, 8, 8_000]);
  // What the first start kept is not charged by a second one.
  expect(await leftAt(NOON + 2_000, [again, outcome])).toEqual([1_000 - 50 - 210, 8, 8_000]);
});

test("one that began after the file is charged what its record says it reserved", async () => {
  await keepOne(NOON);
  const intent = record("intent", "younger", NOON + 500, { reserved_tokens: 120, reserved_images: 3, bytes: 200 });
  expect(await leftAt(NOON + 1_000, [intent])).toEqual([1_000 - 50 - 400 - 120, 5, 8_700]);
  const outcome = record("outcome", "younger", NOON + 600, { input_tokens: 5, output_tokens: 5, bytes_in: 200 });
  rmSync(path);
  expect(await leftAt(NOON + 1_000, [intent, outcome])).toEqual([990, 7, 8_800]);
});

test("what no model server took costs nothing", async () => {
  const intent = record("intent", "denied", NOON, { reserved_tokens: 120, reserved_images: 2, bytes: 200 });
  const outcome = record("outcome", "denied", NOON + 1, { upstream: null, bytes_in: 200 });
  expect(await leftAt(NOON + 1_000, [intent, outcome])).toEqual([1_000, 10, 9_000]);
});

test("a window that is over takes what was held in it along", async () => {
  await keepOne(NOON);
  expect(await leftAt(NOON + DAY_MS, [])).toEqual([1_000, 10, 9_000]);
});

test.each(["", "{}", '{"version":1,"at":5}\n', '{"version":1,"at":5}\n{"uses":[{"used":-1}]}\n{"isWhole":true}\n'])(
  "a damaged file %j is replaced by what the audit log says",
  async (text) => {
    writeFileSync(path, text);
    const intent = record("intent", "one", NOON, { reserved_tokens: 120, bytes: 0 });
    expect(await leftAt(NOON + 1_000, [intent])).toEqual([880, 10, 9_000]);
  },
);
