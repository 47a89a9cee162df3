import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { LedgerEvent } from "../audit/event.ts";
import { AuditReads } from "./audit-reads.ts";

let nowMs: number;
let events: LedgerEvent[];
let isFull: boolean;
let reads: AuditReads;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  [nowMs, events, isFull] = [0, [], false];
  reads = new AuditReads({
    clock: { now: () => nowMs, monotonic: () => nowMs },
    changes: {
      change: async (change) => {
        if (isFull) throw new Error("full");
        events.push(...change.events);
        return { epoch: 1, seq: 1 };
      },
      inTurn: (work) => work(),
    },
  });
});
afterEach(() => {
  vi.useRealTimers();
});

const search = (actor: string, code: string, count = 1, before?: number): Promise<void> =>
  reads.note({
    actor,
    address: "10.0.0.9",
    how: "search",
    asked: { code, ...(before ? { before } : {}) },
    scope: {},
    count,
  });
const said = () => events.map(({ actor, fields }) => [actor, fields["filter"], fields["reads"], fields["records"]]);

it("records the first of a reader and filter at once, and what follows within a minute as one", async () => {
  for (let i = 0; i < 60; i++) {
    await search("key:a", "x", 2, 1_000 - i);
    nowMs += 900;
  }
  await search("key:b", "x");
  await search("key:a", "y");
  expect(said()).toEqual([
    ["key:a", "code=x", 1, 2],
    ["key:b", "code=x", 1, 1],
    ["key:a", "code=y", 1, 1],
  ]);
  nowMs += 60_000;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(said().slice(3)).toEqual([["key:a", "code=x", 59, 118]]);
  await search("key:a", "x");
  expect(said()).toHaveLength(5);
});

it("what cannot be recorded is not answered; what was only counted is tried no further", async () => {
  isFull = true;
  await expect(search("key:a", "x")).rejects.toThrow("full");
  isFull = false;
  await search("key:a", "x");
  await search("key:a", "x");
  isFull = true;
  await expect(reads.flush()).resolves.toBeUndefined();
});

it("records the first filters of a minute by themselves, and all others of a reader as one", async () => {
  for (let i = 0; i < 1_000; i++) await search("key:viewer", `code${i}`);
  await search("key:other", "x");
  expect(said().slice(9)).toEqual([
    ["key:viewer", "code=code9", 1, 1],
    ["key:viewer", "(many filters)", 1, 1],
    ["key:other", "code=x", 1, 1],
  ]);
  nowMs += 60_000;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(said().slice(12)).toEqual([["key:viewer", "(many filters)", 989, 989]]);
});

it("reading all day long leaves a bounded number of records, tails included", async () => {
  for (let second = 0; second < 86_400; second += 2) {
    await search("key:viewer", `code${second}`);
    await reads.noteTail({ actor: "key:viewer", address: null, how: "tail", asked: {}, scope: {}, count: 0 });
    nowMs += 2_000;
  }
  // Two of each kind of reading a minute, and the single ones of a day.
  expect(events.length).toBeLessThan(2 * 2 * 1_440 + 1_100);
});

it("cuts a long filter", async () => {
  await search("key:a", "x".repeat(4_000));
  expect(String(events[0]!.fields["filter"]).length).toBeLessThan(410);
});
