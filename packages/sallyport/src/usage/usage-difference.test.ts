import { expect, it } from "vitest";
import { usageDifference } from "./usage-difference.ts";
import type { UsageRow } from "./usage-row.ts";

function row(part: Partial<UsageRow> = {}): UsageRow {
  return {
    day: 1, environment: "dev", key: "k", principal: "p", team: "", model: "m", code: "",
    requests: 4, denied: 0, inputTokens: 2, outputTokens: 3, estimated: 0, computeMs: 5, queueMs: 1,
    bytesIn: 10, bytesOut: 20, firstAt: 100, lastAt: 200, ...part,
  }; // prettier-ignore
}

it("is nothing for equal counters, in any order", () => {
  expect(usageDifference([row(), row({ key: "l" })], [row({ key: "l" }), row()])).toEqual([]);
});

it("adds what is missing and takes off what is too much", () => {
  expect(usageDifference([row({ requests: 9 })], [row(), row({ key: "l" })])).toEqual([
    { ...row(), ...nothing(), requests: -5 },
    row({ key: "l" }),
  ]);
});

it("takes off a row that the audit log does not have", () => {
  expect(usageDifference([row()], [])).toEqual([
    { ...row(), requests: -4, denied: 0, inputTokens: -2, outputTokens: -3, estimated: 0, computeMs: -5, queueMs: -1, bytesIn: -10, bytesOut: -20 }, // prettier-ignore
  ]);
});

function nothing(): Partial<UsageRow> {
  return { requests: 0, denied: 0, inputTokens: 0, outputTokens: 0, estimated: 0, computeMs: 0, queueMs: 0, bytesIn: 0, bytesOut: 0 }; // prettier-ignore
}
