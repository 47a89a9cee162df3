import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { checkDisk, checkNode } from "./doctor-host.ts";
import { skewSeconds } from "./doctor-upstreams.ts";

const NOW = Date.parse("2026-11-23T00:00:00Z");

test.each([
  ["18.20.0", "wrong"],
  ["20.18.9", "wrong"],
  ["20.19.0", "note"],
  ["22.1.0", "ok"],
  ["24.0.0", "ok"],
  ["99.0.0", "ok"],
])("node %s is %s", (version, state) => {
  expect(checkNode(version, NOW).state).toBe(state);
});

test("a disk that is nearly full is wrong, one that is low a note", () => {
  const stateAt = (megabytes: number): string => checkDisk(tmpdir(), () => megabytes * 1024 * 1024).state;
  expect([1, 500, 5_000].map(stateAt)).toEqual(["wrong", "note", "ok"]);
  expect(checkDisk("/does/not/exist").state).toBe("note");
});

test("a clock that is off is seen", () => {
  expect(skewSeconds("Mon, 23 Nov 2026 00:02:00 GMT", NOW)).toBe(120);
  expect([skewSeconds(undefined, NOW), skewSeconds("nonsense", NOW)]).toEqual([0, 0]);
});
