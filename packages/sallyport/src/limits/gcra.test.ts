import fc from "fast-check";
import { expect, test } from "vitest";
import { gcra } from "./gcra.ts";

test("a burst of the whole count passes, the next waits for one interval", () => {
  let arrival = 0;
  for (let i = 0; i < 60; i++) {
    const verdict = gcra(arrival, 1000, 60, 60_000);
    expect([i, verdict.isAllowed, verdict.remaining]).toEqual([i, true, 59 - i]);
    arrival = verdict.arrivalMs;
  }
  const refused = gcra(arrival, 1000, 60, 60_000);
  expect(refused.isAllowed).toBe(false);
  expect(refused.retryAfterMs).toBeCloseTo(1000);
  expect(refused.arrivalMs).toBe(arrival);
  expect(gcra(arrival, 2000, 60, 60_000).isAllowed).toBe(true);
});

test("in no window of time do more pass than count plus what the time itself gives", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 200 }),
      (count, gaps) => {
        const windowMs = 1000;
        let arrival = 0;
        let now = 0;
        const passed: number[] = [];
        for (const gap of gaps) {
          now += gap;
          const verdict = gcra(arrival, now, count, windowMs);
          arrival = verdict.arrivalMs;
          if (verdict.isAllowed) passed.push(now);
        }
        for (let i = 0; i < passed.length; i++) {
          for (let j = i; j < passed.length; j++) {
            const span = passed[j]! - passed[i]!;
            expect(j - i + 1).toBeLessThanOrEqual(count + Math.floor((span * count) / windowMs + 1e-6));
          }
        }
      },
    ),
  );
});
