import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PROFILES, openBenchmark, readStored } from "./benchmark.ts";
import { learningRows, rewardsOf } from "./reward.ts";
import { bestOutcome, normalised, rawAt } from "./score.ts";
import type { Scored } from "./score.ts";

const DIRECTORY = "testdata/nab";
const weights = { tpWeight: 1, fpWeight: 0.11, fnWeight: 1 };

describe("the scores that are stored with the benchmark", () => {
  type Stored = Record<string, Record<string, { threshold: number; raw: Record<string, number> }>>;
  const stored = JSON.parse(readFileSync(`${DIRECTORY}/stored-scores.json`, "utf8")) as Stored;
  const benchmark = openBenchmark(DIRECTORY);
  const cases = Object.keys(stored).flatMap((detector) => PROFILES.map((profile) => [detector, profile] as const));

  it.each(cases)("of %s under %s are ours", (detector, profile) => {
    const files = readStored(benchmark, detector);
    const { threshold, raw } = stored[detector]![profile]!;
    for (const [at, { name }] of benchmark.files.entries()) {
      expect(rawAt([files[at]!], benchmark.weights[profile], threshold)).toBeCloseTo(raw[name]!, 9);
    }
    const best = bestOutcome(files, benchmark.weights[profile]);
    expect(best.raw).toBeGreaterThanOrEqual(rawAt(files, benchmark.weights[profile], threshold) - 1e-9);
  });
});

/** Rows a minute apart; one window. */
function scored(rows: number, from: number, to: number, scores: readonly number[]): Scored {
  const timesMs = Array.from({ length: rows }, (_row, at) => at * 60_000);
  return { rewards: rewardsOf(timesMs, [[from * 60_000, to * 60_000]]), scores };
}

describe("the scale", () => {
  const marks = (rows: number, ...detected: number[]) =>
    Array.from({ length: rows }, (_row, at) => (detected.includes(at) ? 1 : 0.2));

  it("is 100 for the first row of every window and nothing else, 0 for silence", () => {
    const perfect = [scored(100, 50, 59, marks(100, 50))];
    const { threshold, raw } = bestOutcome(perfect, weights);
    expect([threshold, normalised(raw, perfect, weights)]).toEqual([1, 100]);
    const silent = [scored(100, 50, 59, marks(100))];
    expect(normalised(bestOutcome(silent, weights).raw, silent, weights)).toBe(0);
  });

  it("gives less for late, nothing for twice, and takes less right behind a window than far from it", () => {
    const at = (...rows: number[]) => rawAt([scored(100, 50, 59, marks(100, ...rows))], weights, 1);
    expect(at(50)).toBeGreaterThan(at(55));
    expect(at(55)).toBeGreaterThan(at(59));
    expect(at(59)).toBeGreaterThan(0);
    expect(at(50, 55)).toBe(at(50));
    expect(at(50) - at(50, 61)).toBeLessThan(at(50) - at(50, 40));
    expect(at(50) - at(50, 40)).toBeCloseTo(0.11, 12);
    expect(at(50, 3)).toBe(at(50));
  });

  it("leaves 15 % of a file, at most 750 rows, for learning", () => {
    expect([learningRows(100), learningRows(5_000), learningRows(20_000)]).toEqual([15, 750, 750]);
  });
});

it("no threshold is better than the one that is found", () => {
  const score = fc.integer({ min: 0, max: 8 });
  fc.assert(
    fc.property(
      fc.array(score, { minLength: 60, maxLength: 60 }),
      fc.array(score, { minLength: 60, maxLength: 60 }),
      (a, b) => {
        const files = [scored(60, 20, 29, a), scored(60, 40, 45, b)];
        const { threshold, raw } = bestOutcome(files, weights);
        expect(rawAt(files, weights, threshold)).toBeCloseTo(raw, 9);
        for (let other = 0; other <= 9; other++) expect(rawAt(files, weights, other)).toBeLessThanOrEqual(raw + 1e-9);
      },
    ),
  );
});
