import { expect, test } from "vitest";
import { KeyLimits } from "./key-limits.ts";

const rate = (origin: string, count: number, windowMs = 60_000): { origin: string; limits: object } => ({
  origin,
  limits: { requests: { count, windowMs } },
});

test("every bound must allow, and a refused request counts against none", () => {
  const limits = new KeyLimits();
  const bounds = [rate("environment", 5), rate("key", 2)];
  expect(limits.takeRequest("k", bounds, 0)).toMatchObject({ isAllowed: true, remaining: 1, count: 2 });
  expect(limits.takeRequest("k", bounds, 0)).toMatchObject({ isAllowed: true, remaining: 0 });
  for (let i = 0; i < 10; i++) expect(limits.takeRequest("k", bounds, 0)).toMatchObject({ isAllowed: false, count: 2 });
  // The environment's bound has been charged twice, not twelve times.
  expect(limits.takeRequest("k", [rate("environment", 5)], 0)).toMatchObject({ isAllowed: true, remaining: 2 });
});

test("keys do not share a rate, and no bound means no state", () => {
  const limits = new KeyLimits();
  expect(limits.takeRequest("a", [rate("key", 1)], 0)).toMatchObject({ isAllowed: true });
  expect(limits.takeRequest("b", [rate("key", 1)], 0)).toMatchObject({ isAllowed: true });
  expect(limits.takeRequest("a", [{ origin: "key", limits: { concurrency: 1 } }], 0)).toBeUndefined();
});

test("slots are bounded by the smallest bound and given back", () => {
  const limits = new KeyLimits();
  const bounds = [
    { origin: "role", limits: { concurrency: 3 } },
    { origin: "key", limits: { concurrency: 2 } },
  ];
  expect([1, 2, 3].map(() => limits.takeSlot("k", bounds))).toEqual([true, true, false]);
  limits.releaseSlot("k");
  expect(limits.takeSlot("k", bounds)).toBe(true);
  expect(limits.running("k")).toBe(2);
});

test("a million keys seen once do not stay in memory", () => {
  const limits = new KeyLimits();
  for (let i = 0; i < 100_000; i++) limits.takeRequest(`k${i}`, [rate("key", 60, 1000)], i);
  // Those whose burst has long come back were swept: a fresh burst is there for the first of them.
  expect(limits.takeRequest("k0", [rate("key", 60, 1000)], 200_000)).toMatchObject({ remaining: 59 });
});
