import { expect, it } from "vitest";
import { MODELS_MAX, UsageFold } from "./usage-fold.ts";
import type { UsageIncrement } from "./usage-record.ts";

function increment(part: Partial<UsageIncrement> = {}): UsageIncrement {
  return {
    day: 20_000, environment: "dev", key: "k", principal: "p", team: "", model: "m", code: "", isModelKnown: true,
    requests: 1, denied: 0, inputTokens: 2, outputTokens: 3, estimated: 0, computeMs: 5, queueMs: 1,
    bytesIn: 10, bytesOut: 20, firstAt: 100, lastAt: 100, ...part,
  }; // prettier-ignore
}

const denial = (model: string, part: Partial<UsageIncrement> = {}): UsageIncrement =>
  increment({ requests: 0, denied: 1, code: "model_denied", isModelKnown: false, model, ...part });

function foldOf(increments: Iterable<UsageIncrement>, fold = new UsageFold()): UsageFold {
  for (const one of increments) fold.add(one);
  return fold;
}

it("adds what is about the same subject, and keeps the first and the last time", () => {
  const fold = foldOf([
    increment({ firstAt: 300, lastAt: 300 }),
    increment(),
    increment({ firstAt: 200, lastAt: 200 }),
  ]);
  expect([...fold.rows()]).toEqual([
    expect.objectContaining({ requests: 3, inputTokens: 6, outputTokens: 9, computeMs: 15, firstAt: 100, lastAt: 300 }),
  ]);
});

it("keeps days, environments, keys, owners, teams, models and codes apart", () => {
  const others = [{ day: 20_001 }, { environment: "prod" }, { key: "l" }, { principal: "q" }, { team: "t" }, { model: "n" }, { code: "c" }]; // prettier-ignore
  const fold = foldOf([{}, ...others].map((part) => increment(part)));
  expect(fold.size).toBe(8);
});

it("a million made-up models of denied requests are one row", () => {
  const fold = new UsageFold();
  for (let n = 0; n < 1_000_000; n++) fold.add(denial(`made-up-${n}`));
  expect([...fold.rows()]).toEqual([expect.objectContaining({ model: "other", denied: 1_000_000 })]);
});

it("a denial counts under a model that the key used that day", () => {
  const fold = foldOf([increment(), denial("m"), denial("n"), denial("m", { key: "l" }), denial("m", { day: 20_001 })]);
  expect([...fold.rows()].map(({ key, day, model, denied }) => [key, day, model, denied])).toEqual([
    ["k", 20_000, "m", 0],
    ["k", 20_000, "m", 1],
    ["k", 20_000, "other", 1],
    ["l", 20_000, "other", 1],
    ["k", 20_001, "other", 1],
  ]);
});

it("admitted requests have a bounded number of models for each key and day", () => {
  const fold = new UsageFold();
  for (let n = 0; n < 1_000; n++) fold.add(increment({ model: `m${n}` }));
  expect(fold.size).toBe(MODELS_MAX + 1);
  expect([...fold.rows()].find(({ model }) => model === "other")?.requests).toBe(1_000 - MODELS_MAX);
  const unknown = foldOf(Array.from({ length: 1_000 }, (_, n) => increment({ model: `m${n}`, isModelKnown: false })));
  expect(unknown.size).toBe(1);
});

it("knows the models of rows that were taken out before", () => {
  const fold = foldOf([increment()], new UsageFold(() => ["n"]));
  fold.clear();
  foldOf([denial("m"), denial("n"), denial("x")], fold);
  expect([...fold.rows()].map(({ model }) => model)).toEqual(["m", "n", "other"]);
});

it("sums stay exact numbers, whatever a model server reports", () => {
  const most = Number.MAX_SAFE_INTEGER;
  const fold = foldOf([increment({ inputTokens: most }), increment({ inputTokens: most })]);
  expect([...fold.rows()][0]?.inputTokens).toBe(most);
});
