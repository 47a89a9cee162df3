import { expect, it } from "vitest";
import { ROW, Rows } from "./row.ts";
import { adoptLevel, closeDay } from "./slow.ts";
import type { Ramp } from "./slow.ts";

/** Closes so many clean days of a key whose requests grow by `growth` a day from the fifteenth on; the worst that was seen. */
function after(
  days: number,
  growth: number,
): { readonly worst: Ramp | undefined; readonly row: ReturnType<Rows["row"]> } {
  const rows = new Rows();
  const row = rows.row(rows.take());
  let worst: Ramp | undefined;
  for (let day = 0; day < days; day++) {
    row.block.floats[row.at + ROW.dayTotals] = 200 * growth ** Math.max(0, day - 15);
    row.block.floats[row.at + ROW.dayTotals + 1] = 5_000;
    const ramp = closeDay(row, true);
    if (ramp && (!worst || ramp.score > worst.score)) worst = ramp;
  }
  return { worst, row };
}

it("two in a hundred more each day is seen, though every day was clean", () => {
  expect(after(60, 1.02).worst).toMatchObject({ metric: 0 });
  expect(after(60, 1.02).worst!.rise).toBeGreaterThan(0.3);
});

it("half of the allowed drift is followed, and so is nothing at all", () => {
  expect(after(60, 1.0025).worst).toBeUndefined();
  expect(after(60, 1).worst).toBeUndefined();
});

it("what was reviewed is the level from then on", () => {
  const { row } = after(60, 1.02);
  adoptLevel(row);
  row.block.floats[row.at + ROW.dayTotals] = 200 * 1.02 ** 45;
  row.block.floats[row.at + ROW.dayTotals + 1] = 5_000;
  expect(closeDay(row, true)).toBeUndefined();
});
