import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newContextTable, surpriseOf } from "./context-table.ts";
import { cellOf, newRank, rankSurprise } from "./series-detector.ts";
import { afterRest, newRest } from "./series-detector.ts";
import { HOUR_MS } from "./season.ts";
import { normalRandom, seededRandom } from "../../watch-lab/simulate/draw.ts";
import { newSeries, readValue } from "./series-detector.ts";

const FIVE_MINUTES_MS = 300_000;

/** Surprises of a series, five minutes apart. */
function read(values: readonly number[], range = { min: 0, max: 100 }): number[] {
  const series = newSeries(range);
  return values.map((value, at) => readValue(series, at * FIVE_MINUTES_MS, value).surprise);
}

describe("a value is surprising", () => {
  const normal = normalRandom(seededRandom(2));
  const quiet = Array.from({ length: 3_000 }, () => 30 + normal());

  it("when nothing like it was seen", () => {
    const surprises = read([...quiet, 80]);
    expect(surprises.at(-1)).toBeGreaterThan(1.5 * Math.max(...surprises.slice(1_000, -1)));
  });

  it("when it follows what it never followed, though both are usual", () => {
    const turns = Array.from({ length: 3_000 }, (_value, at) => [20, 50, 80][at % 3]!);
    const surprises = read([...turns, 20, 80]);
    expect(surprises.at(-2)).toBeLessThan(1);
    expect(surprises.at(-1)).toBeGreaterThan(5);
  });

  it("when it is usual, but not at this hour", () => {
    const at = (time: number) => (Math.floor(time / HOUR_MS) % 24 < 12 ? 20 : 80);
    const days = Array.from({ length: 288 * 10 }, (_value, row) => at(row * FIVE_MINUTES_MS));
    const usual = read([...days, ...days.slice(0, 144 + 72)]);
    const without = read([...days, ...days.slice(0, 144), ...days.slice(0, 72)]);
    expect(Math.max(...usual.slice(-70))).toBeLessThan(3);
    expect(Math.max(...without.slice(-70))).toBeGreaterThan(5);
  });

  it("never because of what comes later, and never less than nothing", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -50, max: 150, noNaN: true }), { maxLength: 60 }),
        fc.nat(60),
        (values, cut) => {
          const whole = read(values);
          expect(read(values.slice(0, cut))).toEqual(whole.slice(0, cut));
          for (const surprise of whole) expect(surprise).toBeGreaterThanOrEqual(-1e-12);
        },
      ),
    );
  });
});

it("goes on from its snapshot, which is as large after 100,000 values as after none", () => {
  const random = seededRandom(9);
  const series = newSeries({ min: 0, max: 1 });
  const numbersIn = (value: unknown): number =>
    typeof value === "object" && value !== null
      ? Object.values(value).reduce((sum: number, inner) => sum + numbersIn(inner), 0)
      : 1;
  const before = numbersIn(series);
  for (let at = 0; at < 100_000; at++) readValue(series, at * FIVE_MINUTES_MS, random());
  expect(numbersIn(series)).toBe(before);
  expect(before).toBeLessThan(2_600);
  const restored = JSON.parse(JSON.stringify(series)) as typeof series;
  for (let at = 0; at < 500; at++) {
    const value = random();
    expect(readValue(restored, at * FIVE_MINUTES_MS, value)).toEqual(readValue(series, at * FIVE_MINUTES_MS, value));
  }
});

describe("a context table", () => {
  it("gives all symbols of a context a probability that sums to one", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3), fc.nat(4))), fc.integer({ min: -1, max: 3 }), (seen, context) => {
        const table = newContextTable(5, 4);
        for (const [where, symbol] of seen) surpriseOf(table, where, symbol);
        const each = [0, 1, 2, 3, 4].map((symbol) => Math.exp(-surpriseOf(structuredClone(table), context, symbol)));
        expect(each.reduce((a, b) => a + b)).toBeCloseTo(1, 9);
      }),
    );
  });

  it("halves what it counted before it counts without end, and forgets no symbol", () => {
    const table = newContextTable(3, 1);
    surpriseOf(table, 0, 2);
    for (let at = 0; at < 200_000; at++) surpriseOf(table, 0, at % 2);
    for (const row of [0, 5]) {
      const [a, b, c, sum, differ] = table.counts.slice(row, row + 5);
      expect([a! + b! + c!, differ, c]).toEqual([sum, 3, 1]);
      expect(sum).toBeLessThan(32_768);
    }
  });
});

it("a rank is the share of the smaller tail, and stays bounded", () => {
  const rank = newRank();
  for (let at = 0; at < 100; at++) rankSurprise(rank, at / 100);
  expect(rankSurprise(structuredClone(rank), 0.5)).toBeLessThan(0.8);
  expect(rankSurprise(structuredClone(rank), 0.999)).toBeGreaterThan(3);
  expect(rankSurprise(structuredClone(rank), 2)).toBe(rankSurprise(structuredClone(rank), 1));
  for (let at = 0; at < 50_000; at++) rankSurprise(rank, 0.5);
  expect(rank.total).toBeLessThan(32_768);
  expect(rank.total).toBe(rank.counts.reduce((a, b) => a + b));
  expect([cellOf(-1, 6), cellOf(0.5, 6), cellOf(1, 6)]).toEqual([0, 3, 5]);
});

it("after an alarm only a louder one is told, until a while has passed", () => {
  const rest = newRest();
  for (let at = 0; at < 1_000; at++) afterRest(rest, 0);
  expect([5, 4, 6, 6].map((reading) => afterRest(rest, reading))).toEqual([5, 0, 6, 0]);
  const quiet = Array.from({ length: 40 }, () => afterRest(rest, 1));
  expect(quiet.findIndex((reading) => reading === 1)).toBe(29);
  // What is passed on opens an episode of its own, however low.
  expect(quiet.filter((reading) => reading === 1)).toHaveLength(1);
});
