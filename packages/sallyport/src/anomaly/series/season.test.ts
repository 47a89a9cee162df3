import { expect, test } from "vitest";
import { conformalTail, learnConformal, newConformal } from "./conformal.ts";
import { DAY_SLOTS, HOUR_MS, WEEK_SLOTS, learnSeason, newSeason, seasonOffset, slotOf } from "./season.ts";
import { seededRandom } from "../../watch-lab/simulate/draw.ts";

test("a slot of the day learns its difference, and believes it only after some visits", () => {
  const season = newSeason(DAY_SLOTS);
  expect(seasonOffset(season, 9, 3)).toBe(0);
  learnSeason(season, 9, 8, 0.1);
  expect(seasonOffset(season, 9, 3)).toBe(2);
  for (let day = 0; day < 100; day++) learnSeason(season, 9, 8, 0.1);
  expect(seasonOffset(season, 9, 3)).toBeCloseTo(8 * (10 / 13), 1);
  expect(seasonOffset(season, 10, 3)).toBe(0);
});

test("slots are hours of the cycle", () => {
  expect(slotOf(25.5 * HOUR_MS, DAY_SLOTS)).toBe(1);
  expect(slotOf((WEEK_SLOTS + 30) * HOUR_MS, WEEK_SLOTS)).toBe(30);
});

test("a calibrated score is below p about p of the time, whatever the scores mean", () => {
  const random = seededRandom(5);
  const shape = { buckets: 200, scoreMax: 20, keep: 1 };
  const conformal = newConformal(shape);
  const count = 20_000;
  let below = 0;
  for (let at = 0; at < count; at++) {
    const score = random() ** 3 * 20;
    if (conformalTail(conformal, score, shape) <= 0.1) below++;
    learnConformal(conformal, score, shape);
  }
  expect(below / count).toBeGreaterThan(0.08);
  expect(below / count).toBeLessThan(0.105);
  expect(conformalTail(newConformal(shape), 3, shape)).toBe(1);
});
