import { isRefusal } from "@sallyport/protocol";
import { expect, it } from "vitest";
import { keyOf } from "../../../../../test/builders.ts";
import type { KeyRecord } from "../../keys/key.ts";
import type { UsagePage, UsageQuestion } from "../../usage/usage-report.ts";
import type { Exchange } from "../exchange.ts";
import { answered } from "../pipeline.ts";
import type { StageResult } from "../pipeline.ts";
import { makeOwnUsage } from "./own-usage.ts";

const TODAY = 20_000;

function setUp() {
  const asked: UsageQuestion[] = [];
  const reports: ((page: UsagePage) => void)[] = [];
  const stage = makeOwnUsage({
    clock: { now: () => TODAY * 86_400_000 + 5 },
    usage: {
      report: (question) => {
        asked.push(question);
        return new Promise((resolve) => reports.push(resolve));
      },
    },
    names: { key: () => undefined, principal: () => undefined },
  });
  const call = async (key: KeyRecord, query = ""): Promise<StageResult> => {
    const response = { writeHead() {}, end() {} };
    return stage({
      key,
      query,
      response,
      id: "r",
      corsOrigin: null,
      rate: null,
      retirement: null,
    } as unknown as Exchange);
  };
  const finish = (): void => reports.splice(0).forEach((end) => end({ rows: [], next: null, firstDay: null }));
  return { asked, call, finish };
}

const codeOf = (result: StageResult): string | undefined => (isRefusal(result) ? result.code : undefined);

it("asks for the key alone, or for what was recorded for the user in the session's environment", async () => {
  const { asked, call, finish } = setUp();
  const session = { authenticatedAt: 0 } as unknown as KeyRecord["session"];
  const both = [call(keyOf({ id: "k1", owner: "ada" })), call(keyOf({ id: "s1", owner: "ada", session }))];
  finish();
  expect(await Promise.all(both)).toEqual([answered, answered]);
  const days = { from: TODAY - 29, to: TODAY };
  expect(asked).toEqual([
    { by: ["key", "model"], ...days, environment: "dev", key: "k1", limit: 1_000 },
    { by: ["key", "model"], ...days, environment: "dev", principal: "ada", limit: 1_000 },
  ]);
});

it("has one report at a time for each caller", async () => {
  const { asked, call, finish } = setUp();
  const [key, other] = [keyOf({ id: "k1" }), keyOf({ id: "k2" })];
  const [first, second, others] = [call(key), call(key, "since=1"), call(other)];
  expect(codeOf(await second)).toBe("concurrency_exceeded");
  finish();
  expect(await Promise.all([first, others])).toEqual([answered, answered]);
  const again = call(key);
  finish();
  expect(await again).toBe(answered);
  expect(asked).toHaveLength(3);
});

it.each([
  ["", TODAY - 29],
  ["since=1970-01-01", TODAY - 399],
  [`since=${(TODAY - 3) * 86_400_000}`, TODAY - 3],
  ["since=999999999999999", TODAY],
  ["since=2024-10-03", TODAY - 1],
])("%j begins at day %d", async (query, from) => {
  const { asked, call, finish } = setUp();
  const called = call(keyOf(), query);
  finish();
  await called;
  expect(asked[0]?.from).toBe(from);
});

it.each(["since=", "since=x", "since=1&since=2", "since=2026-13-40", "since=-1", "since=%31", "SINCE=1"])(
  "%j is no first day",
  async (query) => expect(codeOf(await setUp().call(keyOf(), query))).toBe("field_invalid"),
);
