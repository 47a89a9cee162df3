import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { isRefusal, refuse } from "@sallyport/protocol";
import { FairQueue } from "./fair-queue.ts";
import type { Place } from "./fair-queue.ts";
import type { QueueCaller } from "./queue-places.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A caller with the usual weights. */
function by(key: string, principal = key, more: Partial<QueueCaller> = {}): QueueCaller {
  const weights = { teamWeight: 1, principalWeight: 1, keyWeight: 1 };
  return { team: null, principal, key, ...weights, priority: "interactive", ...more };
}

/** A queue before so many slots, each of which is given back by hand. */
function queueOf(slots: number, lengthMax: number, waitMs = 1_000) {
  const state = { running: 0, now: 0 };
  const queue = new FairQueue<object>({
    take: () => {
      if (state.running >= slots) return undefined;
      state.running++;
      return {};
    },
    rules: () => ({ waitMs, lengthMax }),
    slots: () => slots,
    now: () => state.now,
  });
  const release = (): void => {
    state.running--;
    queue.pump();
  };
  return { queue, state, release };
}

test("turns go round: a caller with many waiting does not starve another", () => {
  const { queue, state, release } = queueOf(1, 100);
  const turns: string[] = [];
  expect(queue.take(by("z"))).toBeDefined();
  expect(queue.take(by("z"))).toBeUndefined();
  const waitFor = (name: string, caller: QueueCaller): void =>
    void queue.wait(caller, (slot) => void (slot && queue.begin(caller) && turns.push(name)));
  for (let i = 0; i < 3; i++) waitFor(`a${i}`, by("a"));
  waitFor("b0", by("b"));
  waitFor("c0", by("c"));
  for (let i = 0; i < 5; i++) release();
  expect(turns).toEqual(["a0", "b0", "c0", "a1", "a2"]);
  release();
  expect([state.running, queue.waiting]).toEqual([0, 0]);
});

test("who lost a slot to a replica that failed is served before the rotation", () => {
  const { queue, release } = queueOf(1, 100);
  const turns: string[] = [];
  queue.take(by("z"));
  queue.wait(by("a"), () => turns.push("a"));
  queue.waitFirst(by("z"), () => turns.push("again"));
  release();
  release();
  expect(turns).toEqual(["again", "a"]);
});

test("nobody who comes later passes those who wait", () => {
  const { queue, state } = queueOf(1, 100);
  queue.take(by("z"));
  queue.wait(by("a"), () => {});
  state.running = 0;
  expect(queue.take(by("z"))).toBeUndefined();
});

test("a wait ends: by time, by leaving, by a full queue", () => {
  const { queue } = queueOf(1, 2);
  const said: unknown[] = [];
  queue.take(by("z"));
  queue.wait(by("b"), (_, refusal) => said.push(refusal?.code));
  const place = queue.wait(by("c"), (_, refusal) => said.push(refusal?.code)) as Place;
  expect(queue.wait(by("d"), () => {})).toMatchObject({
    code: "queue_full",
    retryAfterSeconds: 5,
    queue: { position: 3 },
  });
  place.leave(refuse("key_revoked"));
  place.leave(refuse("key_revoked"));
  vi.advanceTimersByTime(1000);
  expect(said).toEqual(["key_revoked", "queue_timeout"]);
  expect(queue.waiting).toBe(0);
});

test("a denial says the place in the queue and the expected wait", () => {
  const { queue } = queueOf(2, 3);
  queue.times.observe("z", 1, 10_000);
  queue.take(by("z"));
  queue.take(by("z"));
  const said: unknown[] = [];
  const note = (_: object | null, refusal: unknown): void => void said.push(refusal);
  queue.wait(by("a"), note);
  queue.wait(by("a"), note);
  queue.wait(by("b"), note);
  expect(queue.wait(by("a"), note)).toMatchObject({
    retryAfterSeconds: 20,
    queue: { position: 4, expectedWaitSeconds: 20 },
  });
  vi.advanceTimersByTime(1000);
  // The second of `a` waits behind `b`; by its time the first of `a` has left.
  expect(said).toMatchObject([{ queue: { position: 1 } }, { queue: { position: 1 } }, { queue: { position: 1 } }]);
});

test("where no slot can come, everybody who waits is told", () => {
  let offer: object | undefined;
  const queue = new FairQueue<object>({
    take: () => offer,
    rules: () => ({ waitMs: 1_000, lengthMax: 9 }),
    slots: () => 1,
    now: () => 0,
  });
  const said: unknown[] = [];
  queue.wait(by("a"), (_, refusal) => said.push(refusal?.code));
  queue.wait(by("b"), (_, refusal) => said.push(refusal?.code));
  offer = refuse("upstream_unreachable");
  queue.pump();
  expect(said).toEqual(["upstream_unreachable", "upstream_unreachable"]);
});

test("a full queue makes room for whoever has less of it, and never for whoever has most", () => {
  const queue = new FairQueue<object>({
    take: () => undefined,
    rules: () => ({ waitMs: 60_000, lengthMax: 6 }),
    slots: () => 1,
    now: () => 0,
  });
  const gone: string[] = [];
  const wait = (key: string, principal: string, name: string): string | undefined => {
    const place = queue.wait(by(key, principal), (_, refusal) => gone.push(`${name} ${refusal?.code}`));
    return isRefusal(place) ? place.code : undefined;
  };
  for (let i = 0; i < 6; i++) expect(wait(`k${i % 3}`, "greedy", `g${i}`)).toBeUndefined();
  expect(wait("k9", "greedy", "g6")).toBe("queue_full");
  expect([wait("a", "ada", "a0"), wait("b", "bob", "b0")]).toEqual([undefined, undefined]);
  expect(gone).toEqual(["g5 queue_full", "g4 queue_full"]);
  expect(wait("a", "ada", "a1")).toBeUndefined();
  expect(wait("a", "ada", "a2")).toBe("queue_full");
  queue.refuseAll(refuse("draining"));
  expect(queue.waiting).toBe(0);
});
