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
  expect([1, 2, 3].map(() => limits.takePlaces("k", bounds) !== null)).toEqual([true, true, false]);
  limits.release(["k role", "k key"]);
  expect(limits.takePlaces("k", bounds)).toEqual(["k role", "k key"]);
  expect([limits.running("k role"), limits.running("k key")]).toEqual([2, 2]);
});

test("keys of one user share what is written for the user, and each has its own", () => {
  const limits = new KeyLimits();
  const bounds = [
    { origin: "role", account: "dev user ada", limits: { concurrency: 2, requests: { count: 3, windowMs: 60_000 } } },
    { origin: "key", account: null, limits: { concurrency: 1 } },
  ];
  expect(["a", "a", "b", "c"].map((key) => limits.takePlaces(key, bounds) !== null)).toEqual([
    true,
    false,
    true,
    false,
  ]);
  expect(["a", "b", "c", "d"].map((key) => limits.takeRequest(key, bounds, 0)?.isAllowed)).toEqual([
    true,
    true,
    true,
    false,
  ]);
});

test("days and longer windows are budgets, and so is what is written for models", () => {
  const limits = new KeyLimits();
  const day = rate("role", 1, 86_400_000);
  const ofModel = { ...rate("models", 1), selector: {} };
  expect([1, 2].map(() => limits.takeRequest("k", [day, ofModel], 0))).toEqual([undefined, undefined]);
});

test("a million keys seen once do not stay in memory", () => {
  const limits = new KeyLimits();
  for (let i = 0; i < 100_000; i++) limits.takeRequest(`k${i}`, [rate("key", 60, 1000)], i);
  // Those whose burst has long come back were swept: a fresh burst is there for the first of them.
  expect(limits.takeRequest("k0", [rate("key", 60, 1000)], 200_000)).toMatchObject({ remaining: 59 });
});
