import fc from "fast-check";
import { expect, test } from "vitest";
import { combineBrown, combineFisher } from "./factors.ts";
import { normalRandom, seededRandom } from "../../watch-lab/simulate/draw.ts";
import { chiSquaredTail, normalTail, normalTails } from "../series/tail.ts";

const p = fc.double({ min: 1e-12, max: 1, noNaN: true });

test("tails are those of the tables", () => {
  expect(normalTail(1.959963985)).toBeCloseTo(0.025, 7);
  expect(normalTail(-1)).toBeCloseTo(0.8413447, 6);
  expect(normalTail(8) / 6.220960574e-16).toBeCloseTo(1, 4);
  expect(normalTails(-3)).toBeCloseTo(0.002699796, 8);
  expect(chiSquaredTail(3.841458821, 1)).toBeCloseTo(0.05, 7);
  expect(chiSquaredTail(18.30703805, 10)).toBeCloseTo(0.05, 7);
  expect(chiSquaredTail(0.5, 7.5)).toBeCloseTo(0.9997263, 6);
  expect(chiSquaredTail(200, 4) / 3.757239e-42).toBeCloseTo(1, 3);
});

test("one p-value stays what it is; many of them become smaller only if each is small", () => {
  fc.assert(
    fc.property(p, (one) => {
      expect(combineFisher([one]) / one).toBeCloseTo(1, 6);
    }),
  );
  expect(combineFisher([0.05, 0.05, 0.05])).toBeLessThan(0.01);
  expect(combineFisher([0.9, 0.9, 0.01])).toBeGreaterThan(0.05);
});

test("without correlation Brown is Fisher; with it he is never bolder about small ones", () => {
  fc.assert(
    fc.property(fc.array(p, { minLength: 1, maxLength: 6 }), (all) => {
      expect(combineBrown(all, () => 0)).toBeCloseTo(combineFisher(all), 9);
      const small = all.map((one) => one * 0.01);
      expect(combineBrown(small, () => 0.7)).toBeGreaterThanOrEqual(combineFisher(small) * 0.999);
    }),
  );
});

test("p-values of correlated signals combine to about as many small ones as there should be", () => {
  const normal = normalRandom(seededRandom(3));
  const count = 40_000;
  let small = 0;
  for (let at = 0; at < count; at++) {
    const shared = normal() * Math.sqrt(0.6);
    const each = [0, 1, 2].map(() => normalTail(shared + normal() * Math.sqrt(0.4)));
    if (combineBrown(each, () => 0.6) < 0.02) small++;
  }
  expect(small / count / 0.02).toBeGreaterThan(0.8);
  expect(small / count / 0.02).toBeLessThan(1.25);
});
