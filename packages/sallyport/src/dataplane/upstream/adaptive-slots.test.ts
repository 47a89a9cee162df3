import { expect, test } from "vitest";
import { AdaptiveSlots } from "./adaptive-slots.ts";

/**
 * A server with so many real slots, of which each request takes `serviceMs`, in front of it a backlog that always fills
 * the learned slots. Returns what was learned.
 */
function learn(realSlots: number, requests: number, isExact: boolean, serviceMs = 2_000): AdaptiveSlots {
  const slots = new AdaptiveSlots();
  const freeAtMs = Array.from({ length: realSlots }, () => 0);
  const running: { endsMs: number; beganMs: number; startMs: number; running: number }[] = [];
  let nowMs = 0;
  for (let i = 0; i < requests; i++) {
    while (running.length >= slots.slots) {
      running.sort((a, b) => a.endsMs - b.endsMs);
      const { endsMs, beganMs, startMs, running: met } = running.shift()!;
      nowMs = endsMs;
      const letIn = { running: met, wasLoaded: true, beganMs };
      slots.began(letIn, startMs + 20 - beganMs, true, isExact, startMs + 20);
      if (isExact) slots.waited(letIn, startMs - beganMs, nowMs);
    }
    freeAtMs.sort((a, b) => a - b);
    const startMs = Math.max(nowMs, freeAtMs[0]!);
    freeAtMs[0] = startMs + serviceMs;
    running.push({ endsMs: startMs + serviceMs, beganMs: nowMs, startMs, running: running.length + 1 });
  }
  return slots;
}

test.each([1, 2, 4, 8, 32])("a server with %i slots is found out, by its own word and without", (realSlots) => {
  for (const isExact of [true, false]) {
    const { slots } = learn(realSlots, 3_000, isExact);
    // It tries one more now and then, and takes it back.
    expect(slots).toBeGreaterThanOrEqual(realSlots);
    expect(slots).toBeLessThanOrEqual(realSlots + Math.max(1, realSlots / 8));
  }
});

test("a server that never makes anybody wait is given more with each request", () => {
  const slots = new AdaptiveSlots();
  for (let i = 0; i < 200; i++)
    slots.began({ running: slots.slots, wasLoaded: true, beganMs: i }, 30, true, true, i + 30);
  expect(slots.slots).toBe(204);
});

test("the time that loading takes tells nothing", () => {
  const slots = new AdaptiveSlots();
  slots.began({ running: 1, wasLoaded: true, beganMs: 0 }, 30, true, false, 30);
  slots.began({ running: 3, wasLoaded: false, beganMs: 40 }, 60_000, true, false, 60_040);
  expect(slots.slots).toBe(4);
});

test("there is always one slot, however long a server lets wait", () => {
  const slots = new AdaptiveSlots();
  for (let i = 0; i < 50; i++) slots.waited({ running: 4, wasLoaded: true, beganMs: i * 10 }, 9_000, i * 10 + 5);
  expect(slots.slots).toBe(1);
});
