import { expect, test } from "vitest";
import { parsePlace, placeText } from "./address.ts";
import { count, duration, percent, relativeTime } from "./words.ts";

test.each([
  ["2026-11-30T12:00:00Z", "just now"],
  ["2026-11-30T12:00:30Z", "in less than a minute"],
  ["2026-11-30T11:58:30Z", "1 minute ago"],
  ["2026-12-03T12:00:00Z", "in 3 days"],
  ["2026-11-29T11:00:00Z", "yesterday"],
])("%s is %s", (iso, says) => {
  expect(relativeTime(iso, Date.parse("2026-11-30T12:00:00Z"))).toBe(says);
});

test("numbers and durations are short", () => {
  expect([count(0), count(9_999), count(1_234_567)]).toEqual(["0", "9,999", "1.2M"]);
  expect([duration(400), duration(59_000), duration(185_000), duration(7_800_000)]).toEqual([
    "0.4 s",
    "59 s",
    "3 min 5 s",
    "2 h 10 min",
  ]);
  expect(percent(0.333)).toBe("33 %");
});

test("a place is read back as it was written, whatever is in its filters", () => {
  const filters = { environment: "prod", search: "a&b=c #%" };
  expect(parsePlace(placeText("keys/abc", filters))).toEqual({ path: "keys/abc", filters });
  expect(parsePlace("")).toEqual({ path: "", filters: {} });
  expect(placeText("keys", { search: "", environment: undefined })).toBe("#/keys");
});
