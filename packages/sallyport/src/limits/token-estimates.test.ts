import { expect, test } from "vitest";
import { TokenEstimates } from "./token-estimates.ts";

test("learns how many tokens characters make, without the template that its server adds", () => {
  const estimates = new TokenEstimates();
  expect(estimates.inputTokens("dev", "m", 4_000)).toBe(1_000 * 1.25 + 16);
  for (let i = 0; i < 100; i++) estimates.observe("dev", "m", 1_000, 516);
  expect(estimates.inputTokens("dev", "m", 4_000)).toBe(2_000 * 1.25 + 16);
  // Of a short prompt, it holds that of the 40 tokens reported, most are the template's.
  for (let i = 0; i < 100; i++) estimates.observe("dev", "short", 100, 41);
  expect(estimates.inputTokens("dev", "short", 100)).toBeLessThan(60);
  // Another environment's model of that name has learned nothing.
  expect(estimates.inputTokens("prod", "m", 4_000)).toBe(1_266);
});

test("publishes how wrong it is, and does not believe more tokens than bytes", () => {
  const estimates = new TokenEstimates();
  estimates.observe("dev", "m", 1_000, 250);
  expect([...estimates.errors()]).toEqual([["dev", "m", 0]]);
  estimates.observe("dev", "liar", 1_000, 1e9);
  expect(estimates.inputTokens("dev", "liar", 1_000)).toBe(5_016);
});
