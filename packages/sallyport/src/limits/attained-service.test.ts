import { expect, test } from "vitest";
import { AttainedService, jainIndex } from "./attained-service.ts";

test("the largest have a row each, and the rest one together", () => {
  const attained = new AttainedService();
  for (let i = 0; i < 30; i++) attained.note("dev", `p${i}`, i * 100, i, 1_000);
  attained.note("prod", "p1", 5, 0, 1_000);
  const rows = attained.of("dev", 20, 2_000);
  expect([rows.length, rows[0], rows.at(-1)]).toEqual([
    21,
    { principal: "p29", computeMs: 2_900, queueMs: 29, requests: 1 },
    { principal: "other", computeMs: 4_500, queueMs: 45, requests: 10 },
  ]);
});

test("what is older than ten minutes is forgotten", () => {
  const attained = new AttainedService();
  attained.note("dev", "a", 100, 0, 0);
  attained.note("dev", "a", 100, 0, 400_000);
  expect(attained.of("dev", 9, 500_000)).toEqual([{ principal: "a", computeMs: 200, queueMs: 0, requests: 2 }]);
  expect(attained.of("dev", 9, 700_001)).toEqual([{ principal: "a", computeMs: 100, queueMs: 0, requests: 1 }]);
  expect(attained.of("dev", 9, 5_000_000)).toEqual([]);
});

test("names without bound take no memory without bound", () => {
  const attained = new AttainedService();
  for (let i = 0; i < 20_000; i++) attained.note("dev", `p${i}`, 1, 0, 0);
  expect(attained.of("dev", 100_000, 0)).toHaveLength(10_001);
  expect(attained.jainIndex("dev", 0)).toBe(1);
});

test.each([
  [[1, 1, 1, 1], 1],
  [[1, 0, 0, 0], 0.25],
  [[], 1],
])("Jain's index of %j is %d", (shares, expected) => expect(jainIndex(shares)).toBe(expected));
