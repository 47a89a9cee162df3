import { describe, expect, it } from "vitest";
import { normalRandom, seededRandom } from "../../watch-lab/simulate/draw.ts";
import { isSpotReady, learnSpot, newSpot, spotTail, spotThreshold } from "./spot.ts";

const random = seededRandom(11);
const samples: Record<string, () => number> = {
  exponential: () => -Math.log(1 - random()),
  normal: normalRandom(random),
  pareto: () => (1 - random()) ** (-1 / 3),
};

describe.each(Object.entries(samples))("on %s values", (_name, sample) => {
  const spots = Array.from({ length: 20 }, () => {
    const spot = newSpot();
    for (let at = 0; at < 3_000; at++) learnSpot(spot, sample());
    return spot;
  });

  it.each([0.01, 0.003])("the threshold for %d is exceeded about as often", (q) => {
    const thresholds = spots.map((spot) => spotThreshold(spot, q));
    const count = 20_000;
    let exceeded = 0;
    for (let at = 0; at < count; at++) if (sample() > thresholds[at % thresholds.length]!) exceeded++;
    expect(exceeded / count / q).toBeGreaterThan(0.6);
    expect(exceeded / count / q).toBeLessThan(1.6);
  });

  it("tail and threshold are each other's inverse", () => {
    for (const spot of spots) expect(spotTail(spot, spotThreshold(spot, 0.001))).toBeCloseTo(0.001, 9);
  });
});

it("keeps no more after a million values than after a thousand, and goes on from its snapshot", () => {
  const spot = newSpot();
  for (let at = 0; at < 1_000; at++) learnSpot(spot, samples["pareto"]!());
  for (let at = 0; at < 300_000; at++) learnSpot(spot, samples["pareto"]!());
  expect(spot.peaks.length).toBe(64);
  expect(spot.first).toEqual([]);
  const restored = JSON.parse(JSON.stringify(spot)) as typeof spot;
  learnSpot(spot, 50);
  learnSpot(restored, 50);
  expect(restored).toEqual(spot);
});

it("says nothing before it knows a level, and takes any change of a constant for new", () => {
  const spot = newSpot();
  expect([isSpotReady(spot), spotTail(spot, 1e9), spotThreshold(spot, 0.001)]).toEqual([false, 1, Infinity]);
  for (let at = 0; at < 200; at++) learnSpot(spot, 4);
  expect(spotTail(spot, 4)).toBe(1);
  expect(spotTail(spot, 4.1)).toBeLessThan(1e-9);
});
