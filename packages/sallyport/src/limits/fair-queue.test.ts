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

/** Each turn takes one second; returns the callers in the order of their turns. */
function turnsOf(waits: readonly [name: string, caller: QueueCaller][], turns: number): string[] {
  const { queue, state, release } = queueOf(1, 1_000, 3_600_000);
  const order: string[] = [];
  queue.take(by("first"));
  for (const [name, caller] of waits)
    queue.wait(caller, (slot) => {
      if (slot === null) return;
      order.push(name);
      const service = queue.begin(caller);
      queue.end(service, 1_000);
    });
  for (let i = 0; i < turns; i++) {
    state.now += 1_000;
    release();
  }
  queue.refuseAll(refuse("draining"));
  return order;
}

const batch = (key: string): QueueCaller => by(key, key, { priority: "batch" });

test("batch requests get the turns that interactive ones leave", () => {
  const order = turnsOf(
    [
      ["b0", batch("b")],
      ["b1", batch("b")],
      ["i0", by("i")],
      ["i1", by("j")],
    ],
    4,
  );
  expect(order).toEqual(["i0", "i1", "b0", "b1"]);
});

test("batch requests that wait long get one of eight turns, however many interactive ones wait", () => {
  const interactive = Array.from({ length: 100 }, (_, n): [string, QueueCaller] => [`i${n}`, by(`i${n % 5}`)]);
  const order = turnsOf([["b0", batch("b")], ["b1", batch("b")], ["b2", batch("b")], ...interactive], 60);
  const places = order.flatMap((name, place) => (name.startsWith("b") ? [place] : []));
  expect(places[0]).toBeGreaterThanOrEqual(28);
  expect([places.length, places[1]! - places[0]!, places[2]! - places[1]!]).toEqual([3, 8, 8]);
});

test("what a request takes beyond its prediction is charged while it runs, and given back when it was less", () => {
  const { queue, release } = queueOf(3, 100);
  for (const name of ["long", "short", "z"]) expect(queue.take(by(name))).toBeDefined();
  const long = queue.begin(by("long"));
  const short = queue.begin(by("short"));
  // Both were predicted the same; one goes on and on, the other is soon over.
  queue.correct(long, 60_000);
  queue.end(short, 10);
  const order: string[] = [];
  for (const name of ["long", "short", "short"])
    queue.wait(by(name), (slot) => {
      if (slot === null) return;
      order.push(name);
      queue.end(queue.begin(by(name)), 10_000);
    });
  for (let i = 0; i < 3; i++) release();
  // Ten seconds are charged to the one with two turns before the other has paid for its minute.
  expect(order).toEqual(["short", "short", "long"]);
});
