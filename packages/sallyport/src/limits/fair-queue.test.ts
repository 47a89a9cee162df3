import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { refuse } from "@sallyport/protocol";
import { FairQueue } from "./fair-queue.ts";
import type { Place } from "./fair-queue.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("one turn per key in rotation: a key with many waiting does not starve another", () => {
  const queue = new FairQueue(1, 100, 1000);
  const turns: string[] = [];
  expect(queue.enter("a", () => {})).toBeUndefined();
  for (let i = 0; i < 3; i++) queue.enter("a", () => turns.push(`a${i}`));
  queue.enter("b", () => turns.push("b0"));
  queue.enter("c", () => turns.push("c0"));
  for (let i = 0; i < 5; i++) queue.release();
  expect(turns).toEqual(["a0", "b0", "c0", "a1", "a2"]);
  queue.release();
  expect(queue.isIdle).toBe(true);
});

test("a wait ends: by time, by leaving, by a full queue", () => {
  const queue = new FairQueue(1, 2, 1000);
  const said: unknown[] = [];
  queue.enter("a", () => {});
  queue.enter("b", (refusal) => said.push(refusal?.code));
  const place = queue.enter("c", (refusal) => said.push(refusal?.code)) as Place;
  expect(queue.enter("d", () => {})).toMatchObject({ code: "queue_full", retryAfterSeconds: 5 });
  place.leave(refuse("key_revoked"));
  place.leave(refuse("key_revoked"));
  vi.advanceTimersByTime(1000);
  expect(said).toEqual(["key_revoked", "queue_timeout"]);
  expect(queue.waiting).toBe(0);
  queue.release();
  expect(queue.isIdle).toBe(true);
});
