import { expect, it } from "vitest";
import { barText, durationText, shortCount } from "./human-units.ts";

it.each([
  [0, "0"],
  [999, "999"],
  [1_000, "1.0k"],
  [12_400, "12.4k"],
  [99_960, "100k"],
  [999_600, "1.0M"],
  [2_500_000_000, "2.5G"],
  [9e15, "9000T"],
])("%d is %s", (count, text) => expect(shortCount(count)).toBe(text));

it.each([
  [0, "0 ms"],
  [340, "340 ms"],
  [8_249, "8.2 s"],
  [59_999, "1 min 0 s"],
  [250_000, "4 min 10 s"],
  [3_599_900, "1 h 0 min"],
  [11_520_000, "3 h 12 min"],
  [360_000_000, "100 h 0 min"],
])("%d ms is %s", (ms, text) => expect(durationText(ms)).toBe(text));

it("a bar is as long as its share, never empty for something, never longer than its place", () => {
  expect(barText(0, 10, 4)).toBe("    ");
  expect(barText(10, 10, 4)).toBe("████");
  expect(barText(5, 10, 4)).toBe("██  ");
  expect(barText(1, 1_000_000, 4)).toBe("▏   ");
  for (let n = 0; n <= 100; n++) expect(barText(n, 100, 7)).toHaveLength(7);
});
