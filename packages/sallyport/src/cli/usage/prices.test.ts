import { expect, it } from "vitest";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { readPrices } from "./prices.ts";
import { mergeRows } from "./usage-columns.ts";

const counts = { inputTokens: 2_000_000, outputTokens: 500_000, computeMs: 1_800_000 };

const LIST = `
currency: EUR
prices:
  llama3.2: { input: 1, output: 4, compute: 3 }
  "qwen3:*": { compute: 2 }
  "*": { input: 0.5 }
`;

it("a million tokens and an hour of compute time cost what the first fitting selector says", () => {
  const { currency, costOf } = readPrices(LIST, "prices.yaml");
  expect(currency).toBe("EUR");
  expect(costOf(counts, "registry.ollama.ai/library/llama3.2:latest")).toBe(2 + 2 + 1.5);
  expect(costOf(counts, "registry.ollama.ai/library/qwen3:8b")).toBe(1);
  expect(costOf(counts, "hf.co/a/b:c")).toBe(1);
  expect(costOf(counts, "cloud:registry.ollama.ai/library/gpt-oss:120b")).toBe(0);
  expect(costOf(counts, "other")).toBe(1);
  expect(costOf(counts, null)).toBe(0);
});

it.each([
  ["", "1:1"],
  ["currency: EUR\n", "prices"],
  ["currency: =1\nprices: {}\n", "currency"],
  ["currency: EUR\nprices: { x: { input: -1 } }\n", "2:"],
  ["currency: EUR\nprices: { x: { inputs: 1 } }\n", "2:"],
  ["currency: EUR\nprices: { x: { input: .inf } }\n", "2:"],
  ["currency: EUR\nprices: { 'a/b/c/d/e': { input: 1 } }\n", "selector"],
  ["currency: EUR\nprices: {}\nmore: 1\n", "more"],
])("%j is no price list", (text, says) => {
  let thrown: unknown;
  try {
    readPrices(text, "prices.yaml");
  } catch (cause) {
    thrown = cause;
  }
  expect(thrown).toBeInstanceOf(UsageMistake);
  expect((thrown as UsageMistake).mistakes.join()).toContain(says);
});

it("rows that were divided by model are one row again, with the sum of their costs", () => {
  const zero = {
    denied: 0,
    codes: {},
    estimated: 0,
    queueMs: 0,
    bytesIn: 0,
    bytesOut: 0,
    firstAt: "2026-11-02",
    lastAt: "2026-11-02",
  };
  const row = (model: string | null, firstAt: string) => ({
    ...zero,
    ...counts,
    requests: 1,
    principal: "p",
    model,
    firstAt,
  });
  const merged = mergeRows(
    [
      row("registry.ollama.ai/library/llama3.2:latest", "2026-11-01"),
      row("registry.ollama.ai/library/qwen3:8b", "2026-11-02"),
      row(null, "2026-11-02"),
    ],
    ["principal"],
    readPrices(LIST, "prices.yaml").costOf,
  );
  expect(merged).toEqual([
    expect.objectContaining({ requests: 3, inputTokens: 6_000_000, cost: 6.5, firstAt: "2026-11-01" }),
  ]);
  expect(merged[0]).not.toHaveProperty("model");
});
