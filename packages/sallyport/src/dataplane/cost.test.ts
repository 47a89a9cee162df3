import { describe, expect, it } from "vitest";
import { computeMsOf } from "./cost.ts";

const usage = { inputTokens: 1, outputTokens: 1, isEstimated: false };

describe("the compute time of an exchange", () => {
  it.each([
    ["what the server says it worked", 800.4, 1_000, true, 800],
    ["the time the slot was held, where the server says nothing", undefined, 1_000.4, true, 1_000],
    ["never more than the slot was held, whatever the server says", 1e12, 1_000, true, 1_000],
    ["nothing, where nothing was forwarded", undefined, 50, false, 0],
  ])("is %s", (_, workedMs, heldMs, isForwarded, expected) => {
    const said = workedMs === undefined ? usage : { ...usage, workedMs };
    expect(computeMsOf({ usage: said, heldMs, isForwarded })).toBe(expected);
  });
});
