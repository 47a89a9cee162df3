import fc from "fast-check";
import { expect, test } from "vitest";
import { ShareTree } from "./share-tree.ts";
import type { ShareHolder } from "./share-tree.ts";

function holder(principal: string, more: Partial<ShareHolder> = {}): ShareHolder {
  return { team: null, principal, key: principal, teamWeight: 1, principalWeight: 1, keyWeight: 1, ...more };
}

/** Serves the caller that is next, one at a time, each for as long as `costMs` says; returns what each holder got. */
function serve(tree: ShareTree, turns: number, costMs: (name: string) => number): Map<string, number> {
  const got = new Map<string, number>();
  for (let i = 0; i < turns; i++) {
    const share = tree.next()!;
    share.leave();
    tree.begin(share);
    const cost = costMs(share.name);
    share.charge(cost);
    got.set(share.name, (got.get(share.name) ?? 0) + cost);
    tree.enter(share);
    tree.end(share);
  }
  return got;
}

test("backlogged callers get what their weights say, whatever their requests cost", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ weight: fc.integer({ min: 1, max: 9 }), costMs: fc.integer({ min: 1, max: 900 }) }), {
        minLength: 2,
        maxLength: 12,
      }),
      (callers) => {
        const tree = new ShareTree();
        callers.forEach(({ weight }, n) => tree.enter(tree.of(holder(`${n}`, { principalWeight: weight }))));
        const got = serve(tree, 2_000, (name) => callers[Number(name)]!.costMs);
        const normal = callers.map(({ weight }, n) => (got.get(`${n}`) ?? 0) / weight);
        // Two backlogged flows of start-time fair queueing differ by no more than one request of each (Goyal 1996).
        const most = 2 * Math.max(...callers.map(({ weight, costMs }) => costMs / weight));
        expect(Math.max(...normal) - Math.min(...normal)).toBeLessThanOrEqual(most + 1e-6);
      },
    ),
    { numRuns: 200 },
  );
});

test("a thousand keys of one person get one person's part, and a team of ten one team's", () => {
  const tree = new ShareTree();
  for (let i = 0; i < 1_000; i++) tree.enter(tree.of(holder("greedy", { key: `g${i}` })));
  tree.enter(tree.of(holder("modest")));
  for (let i = 0; i < 10; i++) tree.enter(tree.of(holder(`m${i}`, { team: "large" })));
  tree.enter(tree.of(holder("alone", { team: "small" })));
  const got = serve(tree, 4_000, () => 1);
  const sum = (isOf: (name: string) => boolean): number =>
    [...got].reduce((total, [name, cost]) => total + (isOf(name) ? cost : 0), 0);
  expect([
    sum((name) => name.startsWith("g")),
    sum((name) => name === "modest"),
    sum((name) => /^m\d/.test(name)),
    sum((name) => name === "alone"),
  ]).toEqual([1_000, 1_000, 1_000, 1_000]);
});

test("who returns has no credit for the time in which they wanted nothing", () => {
  const tree = new ShareTree();
  const late = tree.of(holder("late"));
  tree.enter(late);
  late.leave();
  tree.enter(tree.of(holder("busy")));
  serve(tree, 100, () => 10);
  tree.enter(tree.of(holder("late")));
  const got = serve(tree, 100, () => 10);
  expect([got.get("late"), got.get("busy")]).toEqual([500, 500]);
});

test("of equals, the one that was served longest ago is next", () => {
  const tree = new ShareTree();
  for (const name of ["a", "b", "c"]) tree.enter(tree.of(holder(name)));
  const order: string[] = [];
  serve(tree, 6, (name) => (order.push(name), 5));
  expect(order).toEqual(["a", "b", "c", "a", "b", "c"]);
});

test("whatever comes, leaves, runs and ends in whatever order, nothing is left of it", () => {
  const step = fc.record({
    do: fc.constantFrom("enter", "leave", "begin", "end", "correct"),
    who: fc.nat(5),
    key: fc.nat(2),
    team: fc.constantFrom(null, "t", "u"),
    which: fc.nat(30),
    costMs: fc.integer({ min: 1, max: 500 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      const tree = new ShareTree();
      const waiting: ReturnType<ShareTree["of"]>[] = [];
      const running: ReturnType<ShareTree["of"]>[] = [];
      for (const one of steps) {
        const { root } = tree;
        if (one.do === "enter") {
          const share = tree.of(holder(`p${one.who}`, { key: `k${one.key}`, team: one.team }));
          tree.enter(share);
          waiting.push(share);
        } else if (one.do === "leave" && waiting.length > 0) {
          const [share] = waiting.splice(one.which % waiting.length, 1);
          share!.leave();
          tree.forget(share!);
        } else if (one.do === "begin" && waiting.length > 0) {
          const share = tree.next()!;
          waiting.splice(waiting.indexOf(share), 1);
          share.leave();
          tree.begin(share);
          share.charge(one.costMs);
          running.push(share);
        } else if (one.do === "end" && running.length > 0) {
          const [share] = running.splice(one.which % running.length, 1);
          share!.charge(-1);
          tree.end(share!);
        } else if (one.do === "correct" && running.length > 0) running[one.which % running.length]!.charge(one.costMs);
        expect([root.waiting, root.running]).toEqual([waiting.length, running.length]);
        expect(tree.next() === undefined).toBe(waiting.length === 0);
      }
      for (const share of waiting.splice(0)) {
        share.leave();
        tree.forget(share);
      }
      for (const share of running.splice(0)) tree.end(share);
      expect([tree.size, tree.root.waiting, tree.root.running, tree.root.backlogged!.size]).toEqual([0, 0, 0, 0]);
    }),
    { numRuns: 300 },
  );
});
