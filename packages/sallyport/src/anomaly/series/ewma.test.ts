import fc from "fast-check";
import { expect, test } from "vitest";
import { alphaOfGap, alphaOfHalfLife, learnEwma, newEwma, standardScore } from "./ewma.ts";

const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
const alpha = fc.double({ min: 0.001, max: 1, noNaN: true });

test("is the weighted mean and variance computed from the whole past", () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 50 }), alpha, (values, share) => {
      const ewma = newEwma();
      for (const one of values) learnEwma(ewma, one, share);
      const weights = values.map((_one, at) => share * (1 - share) ** (values.length - 1 - at));
      const sum = weights.reduce((a, b) => a + b);
      const mean = values.reduce((all, one, at) => all + (one * weights[at]!) / sum, 0);
      const variance = values.reduce((all, one, at) => all + ((one - mean) ** 2 * weights[at]!) / sum, 0);
      expect(Math.abs(ewma.mean - mean)).toBeLessThanOrEqual(1e-8 * (1 + Math.abs(mean) + Math.sqrt(variance)));
      expect(Math.abs(ewma.variance - variance)).toBeLessThanOrEqual(1e-7 * (1 + variance + mean * mean));
      expect(ewma.weight).toBeCloseTo(sum, 9);
    }),
  );
});

test("goes on from its snapshot as if nothing had happened", () => {
  fc.assert(
    fc.property(fc.array(value), fc.array(value), alpha, (before, after, share) => {
      const whole = newEwma();
      for (const one of before) learnEwma(whole, one, share);
      const restored = JSON.parse(JSON.stringify(whole)) as typeof whole;
      for (const one of after) {
        learnEwma(whole, one, share);
        learnEwma(restored, one, share);
      }
      // JSON has no -0.
      expect(JSON.stringify(restored)).toBe(JSON.stringify(whole));
    }),
  );
});

test("a half-life halves", () => {
  expect((1 - alphaOfHalfLife(10)) ** 10).toBeCloseTo(0.5);
  expect(1 - alphaOfGap(3_000, 1_000)).toBeCloseTo(0.125);
  expect(alphaOfGap(-5, 1_000)).toBe(0);
});

test("a score is no larger than the floor allows", () => {
  const ewma = newEwma();
  learnEwma(ewma, 5, 0.1);
  expect(standardScore(ewma, 7, 0.5)).toBe(4);
});
