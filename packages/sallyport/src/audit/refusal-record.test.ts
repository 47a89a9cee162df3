import { parseRecordLine, recordLine } from "@sallyport/ledger";
import { expect, it } from "vitest";
import { makeRefusalRecords } from "./refusal-record.ts";
import type { RefusedRequest } from "./refusal-record.ts";

function setUp(keysMax?: number) {
  const lines: string[] = [];
  const time = { ms: 1_000, isUp: true };
  const ledger = { append: (line: string) => (time.isUp ? lines.push(line) : undefined) };
  const refusals = makeRefusalRecords({
    ledger,
    clock: { monotonic: () => time.ms },
    perMinute: 3,
    ...(keysMax === undefined ? {} : { keysMax }),
  });
  const records = () => lines.map((line) => parseRecordLine(recordLine(1, "0".repeat(64), line)));
  const types = () => records().map((record) => record?.type.replace("request.", ""));
  return { refusals, time, records, types };
}

function refused(id = "k1", code = "model_denied"): RefusedRequest {
  const key = { environment: "dev", id, owner: "p1" };
  return {
    key,
    team: "research",
    code,
    endpoint: "api.chat",
    permissions: ["infer:chat"],
    model: "llama3.2",
    address: "192.0.2.1",
    client: "curl/8.5.0",
    requestId: "r1",
    at: 77,
  };
}

it("records each refusal up to the rate, then counts, then tells the count", () => {
  const { refusals, types, records } = setUp();
  for (let i = 0; i < 10; i++) refusals.record(refused());
  expect(types()).toEqual(["refused", "refused", "refused"]);
  expect(records()[0]).toMatchObject({
    at: 77,
    environment: "dev",
    actor: "key:k1",
    fields: {
      request: "r1",
      principal: "p1",
      team: "research",
      code: "model_denied",
      detail: null,
      endpoint: "api.chat",
      model: "llama3.2",
      address: "192.0.2.1",
      client: "curl/8.5.0",
    },
  });
  refusals.flush(60_000);
  expect(records()[3]).toMatchObject({
    type: "request.refused_coalesced",
    actor: "key:k1",
    fields: { principal: "p1", team: "research", code: "model_denied", count: 7 },
  });
  refusals.flush(120_000);
  expect(types()).toHaveLength(4);
});

it("gives the rate back evenly, and each key its own", () => {
  const { refusals, time, types } = setUp();
  for (let i = 0; i < 5; i++) refusals.record(refused());
  refusals.record(refused("k2"));
  expect(types()).toHaveLength(4);
  time.ms += 20_000;
  refusals.record(refused());
  refusals.record(refused());
  expect(types()).toHaveLength(5);
});

it("holds a bounded number of keys and still counts every refusal", () => {
  const { refusals, records } = setUp(5);
  for (let i = 0; i < 100; i++) refusals.record(refused(`k${i}`));
  refusals.flush(1);
  const coalesced = records().filter((record) => record?.type === "request.refused_coalesced");
  expect(coalesced.length).toBeLessThanOrEqual(6);
  const counted = coalesced.reduce((sum, record) => sum + Number(record?.fields["count"]), 0);
  expect(counted + records().length - coalesced.length).toBe(100);
  expect(coalesced.at(-1)).toMatchObject({ actor: "gateway", fields: { principal: null } });
});

it("counts what it cannot write, and cuts what a request may have put into the detail", () => {
  const { refusals, time, records } = setUp();
  time.isUp = false;
  refusals.record(refused());
  refusals.flush(1);
  time.isUp = true;
  refusals.flush(2);
  expect(records()).toMatchObject([{ type: "request.refused_coalesced", fields: { count: 1 } }]);
  refusals.record({ ...refused(), detail: "x".repeat(10_000) });
  expect(String(records()[1]?.fields["detail"])).toHaveLength(200);
});

it("keeps the detail of a decision, and none that quotes a request that was not understood", () => {
  const { refusals, records } = setUp();
  refusals.record({ ...refused("k1", "model_denied"), detail: "infer:chat on x" });
  refusals.record({ ...refused("k1", "json_duplicate_key"), detail: "a prompt" });
  refusals.record({ ...refused("k1", "query_not_accepted"), detail: "a key" });
  expect(records().map((record) => record?.fields["detail"])).toEqual(["infer:chat on x", null, null]);
});
