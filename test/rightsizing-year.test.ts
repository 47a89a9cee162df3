/**
 * A generated year of requests is counted, every key is right-sized at its end, and the month after is lived through: by
 * the counters, the proposal, the decision and the guard of the program.
 */
import { expect, it } from "vitest";
import { liveYear } from "./rightsizing-year.ts";

/** Whatever their rhythm, they do in the month after what they did in the year. */
const STEADY = new Set<string>(["daily", "weekly", "monthly", "quarterly", "yearly", "leaver", "newcomer"]);

it.each([1, 2, 3])("seed %i: no job is denied, and whoever does something new is denied once", async (seed) => {
  const lived = await liveYear(seed);
  expect(lived.wrongDenials.filter(({ habit }) => STEADY.has(habit))).toEqual([]);
  // Those who begin something else are in every year.
  expect(lived.wrongDenials.filter(({ habit }) => habit === "changing")).toHaveLength(4);
  expect(Math.max(...lived.wrongDenials.map(({ denials }) => denials))).toBe(1);
  expect(lived.takenBack).toEqual(expect.arrayContaining(lived.wrongDenials.map(({ id }) => id)));
  expect(lived.proposed).toBeGreaterThan(40);
  expect(lived.replayDenies).toBe(0);
  expect(lived.removed / lived.unused).toBeGreaterThan(0.8);
  // A newcomer's use is not known for long enough.
  expect(lived.refused).toEqual({ young: 2 });
});
