import { describe, expect, it } from "vitest";
import type { LedgerRecord } from "./record-line.ts";
import { HEARTBEAT, HEARTBEAT_MS, RecordTimes } from "./record-times.ts";

const record = (seq: number, at: number, type = "request.intent"): LedgerRecord => ({
  seq,
  prev: "",
  type,
  at,
  environment: "dev",
  actor: "gateway",
  fields: {},
});

function unvouched(...records: LedgerRecord[]) {
  const times = new RecordTimes();
  for (const one of records) times.take(one);
  return times.unvouched;
}

describe("times that are not vouched for", () => {
  it("a clock that went back, more than a group's records may", () => {
    expect(unvouched(record(1, 500_000), record(2, 490_000))).toEqual([]);
    expect(unvouched(record(1, 500_000), record(2, 300_000))).toMatchObject([{ after: 1, from: 500_000, to: 300_000 }]);
  });

  it("a silence of a node that had begun to say that it is there", () => {
    const late = 3 * HEARTBEAT_MS;
    expect(unvouched(record(1, 0), record(2, late))).toEqual([]);
    expect(unvouched(record(1, 0, HEARTBEAT), record(2, HEARTBEAT_MS, HEARTBEAT))).toEqual([]);
    expect(unvouched(record(1, 0, HEARTBEAT), record(2, late))).toMatchObject([{ after: 1, from: 0, to: late }]);
  });

  it("no silence of one that had said that it stops", () => {
    const late = 9 * HEARTBEAT_MS;
    const stopped = [record(1, 0, HEARTBEAT), record(2, 1, "server.stopped"), record(3, late, "server.started")];
    expect(unvouched(...stopped)).toEqual([]);
    expect(unvouched(...stopped, record(4, 2 * late))).toHaveLength(1);
  });

  it("requests that policy let go unrecorded", () => {
    const fields = { since: 10, until: 20, requests: 7, keys: [], has_more_keys: false };
    const gap = { ...record(2, 30, "ledger.gap"), environment: "dev", fields };
    expect(unvouched(record(1, 0), gap)).toEqual([
      { after: 2, from: 10, to: 20, reason: "7 requests of dev have no records, as its policy says" },
    ]);
  });

  it("the list has an end and says so", () => {
    const found = unvouched(...Array.from({ length: 300 }, (_, n) => record(n + 1, -n * 200_000)));
    expect(found).toHaveLength(101);
    expect(found.at(-1)!.reason).toContain("not listed");
  });
});
