import fc from "fast-check";
import { expect, test } from "vitest";
import { cusumRunLength, cusumTail, learnCusum, newCusum } from "./cusum.ts";
import { normalRandom, seededRandom } from "../../watch-lab/simulate/draw.ts";

/** Values until the line is crossed, for a mean of `shift` deviations. */
function delay(normal: () => number, shift: number, slack: number, limit: number): number {
  const cusum = newCusum();
  for (let count = 1; ; count++) {
    learnCusum(cusum, normal() + shift, slack);
    if (cusum.up >= limit) return count;
  }
}

function average(times: number, one: () => number): number {
  let sum = 0;
  for (let at = 0; at < times; at++) sum += one();
  return sum / times;
}

test("finds a shift of one deviation after 10 values, and without one alarms as seldom as Siegmund says", () => {
  const normal = normalRandom(seededRandom(7));
  expect(cusumRunLength(5, 0.5)).toBeGreaterThan(900);
  expect(average(2_000, () => delay(normal, 1, 0.5, 5))).toBeCloseTo(10.4, 0);
  const quiet = average(400, () => delay(normal, 0, 0.5, 4));
  expect(quiet / cusumRunLength(4, 0.5)).toBeGreaterThan(0.85);
  expect(quiet / cusumRunLength(4, 0.5)).toBeLessThan(1.15);
});

test("the tail of a sum is how often such a sum stands where nothing shifts", () => {
  const normal = normalRandom(seededRandom(8));
  const cusum = newCusum();
  const limit = 3;
  const count = 200_000;
  let above = 0;
  for (let at = 0; at < count; at++) {
    learnCusum(cusum, normal(), 0.5);
    if (cusum.up >= limit) above++;
  }
  expect(above / count / cusumTail(limit, 0.5)).toBeGreaterThan(0.85);
  expect(above / count / cusumTail(limit, 0.5)).toBeLessThan(1.15);
});

test("never falls below nothing, and mirrors", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -10, max: 10, noNaN: true })), (scores) => {
      const cusum = newCusum();
      const mirror = newCusum();
      for (const score of scores) {
        learnCusum(cusum, score, 0.5);
        learnCusum(mirror, -score, 0.5);
        expect(cusum.up).toBeGreaterThanOrEqual(0);
        expect([mirror.down, mirror.up]).toEqual([cusum.up, cusum.down]);
      }
      expect(cusumTail(cusum.up, 0.5)).toBeLessThanOrEqual(1);
    }),
  );
});
