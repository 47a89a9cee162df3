import { expect, it } from "vitest";
import { relativeTime } from "./relative-time.ts";

const now = Date.parse("2026-01-31T12:00:00.000Z");

it.each([
  ["2026-02-03T12:00:00.000Z", "in 3 days"],
  ["2026-02-01T12:00:00.000Z", "in 1 day"],
  ["2026-02-01T11:59:59.999Z", "in 23 hours"],
  ["2026-01-31T11:59:00.000Z", "1 minute ago"],
  ["2026-01-31T11:58:01.000Z", "1 minute ago"],
  ["2026-01-31T11:59:58.000Z", "2 seconds ago"],
  ["2026-01-31T12:00:00.500Z", "now"],
  ["2024-01-31T12:00:00.000Z", "731 days ago"],
  [null, "never"],
  ["soon", "soon"],
])("%s is %s", (iso, wanted) => {
  expect(relativeTime(iso, now)).toBe(wanted);
});
