import fc from "fast-check";
import { expect, it } from "vitest";
import { LongWork, ThreadLine } from "./long-work.ts";
import { sortInSlices } from "./sort-in-slices.ts";

it("sorts as toSorted does, and keeps the order of equal values", async () => {
  const values = fc.array(fc.record({ text: fc.string({ maxLength: 2 }), at: fc.nat() }), {
    maxLength: 1_200,
    size: "max",
  });
  await fc.assert(
    fc.asyncProperty(values, async (list) => {
      const sorted = await sortInSlices(list, ({ text }) => text, new LongWork());
      expect(sorted).toEqual(list.toSorted((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0)));
    }),
    { numRuns: 20 },
  );
});

it("lets others go first", async () => {
  let asked = 0;
  let rests = 0;
  // Each look at the clock takes a millisecond of the three of a slice.
  const line = new ThreadLine((next) => {
    rests++;
    setImmediate(next);
  });
  const work = new LongWork({ monotonic: () => ++asked }, line);
  await sortInSlices(
    Array.from({ length: 5_000 }, (_, n) => (n * 7_919) % 5_000),
    (n) => String(n),
    work,
  );
  expect(rests).toBeGreaterThan(10);
});
