import { isRefusal, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { UpstreamSpec } from "../../access/policy.ts";
import type { QueueCaller } from "../../limits/queue-places.ts";
import { ReplicaGroup } from "./replica-group.ts";
import { Upstream } from "./upstream.ts";

const policy = { waitMs: 1_000, lengthMax: 100 };
const state = { now: 0 };
let keys = 0;
const ports = { now: () => state.now, random: () => 0.5 };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  state.now = 0;
});

function groupOf(...specs: Partial<UpstreamSpec>[]): { group: ReplicaGroup; replicas: Upstream[] } {
  const replicas = specs.map(
    (spec, n) => new Upstream("dev", { id: `u${n}`, url: `http://127.0.0.1:${n + 1}`, ...spec }, ports),
  );
  const group = new ReplicaGroup(policy, ports.now);
  group.configure(replicas, policy);
  return { group, replicas };
}

function by(key: string): QueueCaller {
  const weights = { teamWeight: 1, principalWeight: 1, keyWeight: 1 };
  return { team: null, principal: key, key, ...weights, priority: "interactive", isNative: false };
}

/** For a key that was not here before. */
function taken(group: ReplicaGroup, model: string | null, avoid: Upstream | null = null, isNative = false): string {
  const offer = group.take(model, avoid, `k${keys++}`, isNative);
  if (offer === undefined) return "waits";
  return isRefusal(offer) ? offer.code : offer.spec.id;
}

test("a replica that is out is not chosen, though it is the idlest", () => {
  const { group, replicas } = groupOf({}, { concurrency: 9 });
  replicas[0]!.health.failed("unreachable");
  expect(Array.from({ length: 5 }, () => taken(group, "m"))).toEqual(["u1", "u1", "u1", "u1", "u1"]);
});

test("after its time one call is tried, and no second one until it answered", () => {
  const { group, replicas } = groupOf({}, {});
  replicas[0]!.health.failed("unreachable");
  state.now = 1_000;
  expect([taken(group, "m"), taken(group, "m"), taken(group, "m")]).toEqual(["u0", "u1", "u1"]);
  replicas[0]!.health.answered(200);
  expect(taken(group, "m")).toBe("u0");
});

test("the one with the model loaded first, unless it has much more to do", () => {
  const { group, replicas } = groupOf({}, {});
  replicas[1]!.noteServed("m");
  expect([taken(group, "m"), taken(group, "m"), taken(group, "m")]).toEqual(["u1", "u1", "u0"]);
  state.now = 300_001;
  expect(replicas[1]!.isLoaded("other")).toBe(false);
});

test("the slots of all replicas together are one queue's", () => {
  const { group } = groupOf({ concurrency: 2 }, { concurrency: 1 });
  expect(Array.from({ length: 4 }, () => taken(group, "m"))).toEqual(["u0", "u0", "u1", "waits"]);
  expect(taken(group, "other")).toBe("u1");
  expect(taken(group, null)).not.toBe("waits");
});

test("a key stays with the replica that knows its conversation, unless that has more to do", () => {
  const { group, replicas } = groupOf({ concurrency: 4 }, { concurrency: 4 });
  for (const replica of replicas) replica.noteServed("m");
  const of = (key: string): string => (group.take("m", null, key, false) as Upstream).spec.id;
  expect([of("a"), of("b")]).toEqual(["u0", "u1"]);
  // One more on `u1`: both have one to do, and each key returns to its own.
  expect([of("b"), of("a")]).toEqual(["u1", "u0"]);
  expect(of("b")).toBe("u1");
  // Now `u1` has more to do than half a request can make up for.
  expect(of("b")).toBe("u0");
});

test("who waits gets the slot that becomes free, on whatever replica", () => {
  const { group, replicas } = groupOf({ concurrency: 1 }, { concurrency: 1 });
  const queue = group.queueOf("m");
  expect([taken(group, "m"), taken(group, "m")]).toEqual(["u0", "u1"]);
  const turns: string[] = [];
  queue.wait(by("a"), (slot) => void turns.push(slot!.spec.id));
  queue.wait(by("b"), (slot) => void turns.push(slot!.spec.id));
  group.give(replicas[1]!, "m");
  group.give(replicas[0]!, "m");
  expect([turns, queue.waiting]).toEqual([["u1", "u0"], 0]);
});

test("all are out: those that fail at once are tried, those that keep callers waiting are not", () => {
  const { group, replicas } = groupOf({}, {});
  for (const { health } of replicas) health.failed("silent");
  expect(group.take("m", null, "k", false)).toMatchObject({ code: "upstream_unreachable", retryAfterSeconds: 1 });
  const { group: other, replicas: others } = groupOf({}, {});
  others[0]!.health.failed("silent");
  others[1]!.health.failed("unreachable");
  expect(taken(other, "m")).toBe("u1");
  // Not once more for the request that it has just refused.
  expect(taken(other, "m", others[1])).toBe("upstream_unreachable");
});

test("a policy without replicas ends every wait", () => {
  const { group } = groupOf({ concurrency: 1 });
  const queue = group.queueOf("m");
  taken(group, "m");
  const said: unknown[] = [];
  queue.wait(by("a"), (_, refusal) => void said.push(refusal?.code));
  group.configure([], policy);
  expect([said, taken(group, "m")]).toEqual([["upstream_missing"], "upstream_missing"]);
});

test("a replica that policy adds takes over those who wait", () => {
  const { group, replicas } = groupOf({ concurrency: 1 });
  taken(group, "m");
  const turns: string[] = [];
  group.queueOf("m").wait(by("a"), (slot) => void turns.push(slot!.spec.id));
  group.configure(
    [...replicas, new Upstream("dev", { id: "new", url: "http://127.0.0.1:9", concurrency: 1 }, ports)],
    policy,
  );
  expect(turns).toEqual(["new"]);
});

test("whatever happens in whatever order, no replica runs more than its slots, and all of them are free at the end", () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant("ask" as const),
      model: fc.constantFrom("a", "b"),
      key: fc.constantFrom("x", "y", "z"),
    }),
    fc.record({ do: fc.constantFrom("end" as const, "leave" as const), which: fc.nat(50) }),
    fc.record({ do: fc.constantFrom("fail" as const, "answer" as const), which: fc.nat(2) }),
    fc.record({ do: fc.constant("time" as const), ms: fc.nat(1_500) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      state.now = 0;
      const { group, replicas } = groupOf({ concurrency: 2 }, { concurrency: 1 }, { concurrency: 3 });
      const running: [Upstream, string][] = [];
      const places: { leave(refusal: Refusal): void }[] = [];
      for (const one of steps) {
        if (one.do === "ask") {
          const queue = group.queueOf(one.model);
          const offer = queue.take(by(one.key));
          if (offer === undefined) {
            const place = queue.wait(by(one.key), (slot) => void (slot && running.push([slot, one.model])));
            if (!isRefusal(place)) places.push(place);
          } else if (!isRefusal(offer)) running.push([offer, one.model]);
        } else if (one.do === "end" && running.length > 0) {
          const [ended] = running.splice(one.which % running.length, 1);
          group.give(ended![0], ended![1]);
        } else if (one.do === "leave" && places.length > 0) {
          places[one.which % places.length]!.leave(refuse("queue_timeout"));
        } else if (one.do === "fail") replicas[one.which]!.health.failed("unreachable");
        else if (one.do === "answer") replicas[one.which]!.health.answered(200);
        else if (one.do === "time") {
          state.now += one.ms;
          vi.advanceTimersByTime(one.ms);
          group.pump();
        }
        for (const replica of replicas)
          for (const model of ["a", "b"])
            expect(replica.runningOf(model)).toBeLessThanOrEqual(replica.spec.concurrency!);
      }
      for (const place of places) place.leave(refuse("queue_timeout"));
      for (const [replica, model] of running.splice(0)) group.give(replica, model);
      expect([group.waiting, ...replicas.map((replica) => replica.running)]).toEqual([0, 0, 0, 0]);
    }),
    { numRuns: 300 },
  );
});

test("a server of OpenAI's dialect gets what it speaks and serves, whatever its health and its room", () => {
  const { group, replicas } = groupOf({ kind: "openai" }, {});
  replicas[1]!.running = 9;
  expect([taken(group, "m"), taken(group, "m", null, true), taken(group, null, null, true)]).toEqual([
    "u0",
    "u1",
    "u1",
  ]);
  replicas[0]!.served = new Map([["other", ["other"]]]);
  expect([taken(group, "m"), taken(group, "other")]).toEqual(["u1", "u0"]);
});

test("where no replica can ever serve a request it is denied, and does not wait", () => {
  const { group, replicas } = groupOf({ kind: "openai" }, { kind: "llama.cpp" });
  expect(taken(group, "m", null, true)).toBe("dialect_not_served");
  expect(group.takeFirst("m")).toMatchObject({ code: "dialect_not_served" });
  for (const replica of replicas) replica.served = new Map();
  expect(taken(group, "m")).toBe("model_not_served");
  expect(group.slotsOf("m")).toBe(0);
});

test("management goes to the first Ollama", () => {
  const { group } = groupOf({ kind: "openai" }, {}, {});
  expect(group.takeFirst("m")).toMatchObject({ spec: { id: "u1" } });
});
