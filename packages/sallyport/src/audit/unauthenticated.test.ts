import { parseRecordLine, recordLine } from "@sallyport/ledger";
import { expect, it } from "vitest";
import { makeUnauthenticated, UNAUTHENTICATED_RECORDS_MAX } from "./unauthenticated.ts";

function setUp(rowsMax?: number) {
  const written: { code: unknown; network: unknown; count: number }[] = [];
  const ledger = {
    isUp: true,
    append(line: string) {
      if (!ledger.isUp) return undefined;
      const fields = parseRecordLine(recordLine(1, "0".repeat(64), line))?.fields;
      written.push({ code: fields?.["code"], network: fields?.["network"], count: Number(fields?.["count"]) });
      return written.length;
    },
  };
  const counter = makeUnauthenticated({
    ledger,
    clock: { now: () => 5 },
    ...(rowsMax === undefined ? {} : { rowsMax }),
  });
  return { written, ledger, counter, sum: () => written.reduce((total, { count }) => total + count, 0) };
}

it("writes nothing until it is flushed, then one record per code and network", () => {
  const { counter, written } = setUp();
  for (let i = 0; i < 9; i++) counter.count({ code: "key_unknown" }, `192.0.2.${i}`);
  counter.count({ code: "credential_missing" }, "192.0.2.1");
  counter.count({ code: "key_unknown" }, "2001:db8::1");
  expect(written).toEqual([]);
  counter.flush(60_000);
  expect(written).toEqual([
    { code: "key_unknown", network: "192.0.2.0/24", count: 9 },
    { code: "credential_missing", network: "192.0.2.0/24", count: 1 },
    { code: "key_unknown", network: "2001:db8::/48", count: 1 },
  ]);
  counter.flush(120_000);
  expect(written).toHaveLength(3);
});

it("a flood from many addresses writes a bounded number of records that lose no request", () => {
  const { counter, written, sum } = setUp();
  const codes = ["key_unknown", "credential_missing", "endpoint_unknown"];
  for (let i = 0; i < 100_000; i++)
    counter.count({ code: codes[i % 3] ?? "" }, `${i & 255}.${(i >> 8) & 255}.${i % 251}.1`);
  for (let i = 0; i < 50; i++) counter.count({ code: "key_unknown" }, "0.0.0.1");
  counter.flush(60_000);
  expect(written.length).toBeLessThanOrEqual(UNAUTHENTICATED_RECORDS_MAX);
  expect(sum()).toBe(100_050);
  expect(written[0]).toMatchObject({ network: expect.stringContaining("0.0.0.0/24") });
});

it("stays bounded when there are as many codes as records", () => {
  const { counter, written, sum } = setUp(10);
  for (let i = 0; i < 500; i++) counter.count({ code: `code_${i}` }, `10.0.${i % 256}.1`);
  counter.flush(1);
  expect(written.length).toBeLessThanOrEqual(UNAUTHENTICATED_RECORDS_MAX);
  expect(sum()).toBe(500);
});

it("keeps its counts while the ledger is down", () => {
  const { counter, ledger, written } = setUp();
  ledger.isUp = false;
  counter.count({ code: "key_unknown" }, "192.0.2.1");
  counter.flush(60_000);
  counter.count({ code: "key_unknown" }, "192.0.2.2");
  ledger.isUp = true;
  counter.flush(120_000);
  expect(written).toEqual([{ code: "key_unknown", network: "192.0.2.0/24", count: 2 }]);
});

it("counts unknown ids and wrong secrets apart, though they have one code", () => {
  const lines: string[] = [];
  const counter = makeUnauthenticated({ ledger: { append: (line) => lines.push(line) }, clock: { now: () => 5 } });
  counter.count({ code: "key_unknown", signal: "unknown_id" }, "192.0.2.1");
  for (let i = 0; i < 3; i++) counter.count({ code: "key_unknown", signal: "wrong_secret" }, "192.0.2.1");
  counter.count({ code: "key_expired" }, "192.0.2.1");
  counter.flush(60_000);
  const fields = lines.map((line) => parseRecordLine(recordLine(1, "0".repeat(64), line))?.fields);
  expect(fields.map((of) => [of?.["code"], of?.["signal"], of?.["count"]])).toEqual([
    ["key_unknown", "unknown_id", 1],
    ["key_unknown", "wrong_secret", 3],
    ["key_expired", null, 1],
  ]);
});
