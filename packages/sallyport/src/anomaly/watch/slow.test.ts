import { expect, it } from "vitest";
import { ROW, Rows } from "./row.ts";
import { adoptLevel, closeDay } from "./slow.ts";
import type { Ramp } from "./slow.ts";

const FIRST = 20_458;

/** Closes so many days with these requests; the worst that was seen. A day of 0 is none at all. */
function after(
  days: number,
  requests: (day: number) => number,
): { readonly worst: Ramp | undefined; readonly row: ReturnType<Rows["row"]> } {
  const rows = new Rows();
  const row = rows.row(rows.take());
  let worst: Ramp | undefined;
  for (let day = 0; day < days; day++) {
    if (requests(day) === 0) continue;
    row.block.floats[row.at + ROW.dayTotals] = requests(day);
    row.block.floats[row.at + ROW.dayTotals + 1] = 5_000;
    let next = day + 1;
    while (next < days && requests(next) === 0) next++;
    const ramp = closeDay(row, FIRST + day, FIRST + next);
    if (ramp && (!worst || ramp.score > worst.score)) worst = ramp;
  }
  return { worst, row };
}
const growing = (growth: number) => (day: number) => 200 * growth ** Math.max(0, day - 15);

it("two in a hundred more each day is seen, whatever the weekdays are", () => {
  expect(after(60, growing(1.02)).worst).toMatchObject({ metric: 0 });
  expect(after(60, growing(1.02)).worst!.rise).toBeGreaterThan(0.3);
  expect(after(60, growing(1.02)).worst!.score).toBeGreaterThan(2);
  expect(after(60, (day) => growing(1.02)(day) * (day % 7 < 5 ? 1 : 0.1)).worst!.score).toBeGreaterThan(2);
  expect(after(60, (day) => (day % 7 < 5 ? growing(1.02)(day) : 0)).worst!.score).toBeGreaterThan(2);
});

it("a few in a thousand a day are work, and so is nothing at all", () => {
  expect(after(60, growing(1.0025)).worst).toBeUndefined();
  expect(after(60, growing(1)).worst).toBeUndefined();
});

it("some days of twenty times as much are no ramp", () => {
  expect(after(60, (day) => (day > 50 && day < 55 ? 4_000 : 200)).worst).toBeUndefined();
});

it("nothing is said of a month", () => {
  expect(after(35, growing(1.05)).worst).toBeUndefined();
});

it("a long rest leaves no old days behind", () => {
  expect(after(400, (day) => (day < 20 ? 20 : day > 360 ? 2_000 : 0)).worst).toBeUndefined();
});

it("what was reviewed is the level from then on", () => {
  const { row } = after(60, growing(1.02));
  adoptLevel(row);
  row.block.floats[row.at + ROW.dayTotals] = 200 * 1.02 ** 45;
  row.block.floats[row.at + ROW.dayTotals + 1] = 5_000;
  expect(closeDay(row, FIRST + 60, FIRST + 61)).toBeUndefined();
});
