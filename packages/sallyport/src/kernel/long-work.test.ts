import { expect, test } from "vitest";
import { LongWork, ThreadLine } from "./long-work.ts";

/** A clock that moves by what each visit costs, and an event loop that is turned by hand. */
function world() {
  let nowMs = 0;
  const round: (() => void)[] = [];
  const clock = { monotonic: () => nowMs };
  const line = new ThreadLine((next) => void round.push(next));
  return {
    cost: (ms: number) => (nowMs += ms),
    begin: () => new LongWork(clock, line),
    planned: () => round.length,
    /** One round of the loop: what was planned before it, then all promises. */
    turn: async () => {
      for (const next of round.splice(0)) next();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test("work that is over within a slice never waits", async () => {
  const { begin, cost, planned } = world();
  const seen: number[] = [];
  await begin().each([1, 2, 3], (value) => {
    cost(1);
    seen.push(value);
  });
  expect(seen).toEqual([1, 2, 3]);
  expect(planned()).toBe(0);
});

test("after a slice other callbacks come first, and then it goes on", async () => {
  const { begin, cost, turn } = world();
  const seen: (number | string)[] = [];
  const done = begin().each([1, 2, 3, 4, 5], (value) => {
    cost(3);
    seen.push(value);
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(seen).toEqual([1, 2]);
  seen.push("a request");
  await turn();
  expect(seen).toEqual([1, 2, "a request", 3, 4]);
  await turn();
  await done;
  expect(seen).toEqual([1, 2, "a request", 3, 4, 5]);
});

test("a round of the loop holds one slice, however many works there are", async () => {
  const { begin, cost, turn } = world();
  const seen: string[] = [];
  const visit = (value: string): void => {
    cost(6);
    seen.push(value);
  };
  const all = ["a", "b", "c"].map((name) => begin().each([`${name}1`, `${name}2`], visit));
  await new Promise((resolve) => setImmediate(resolve));
  expect(seen).toEqual(["a1", "b1", "c1"]);
  await turn();
  expect(seen).toEqual(["a1", "b1", "c1", "a2"]);
  await turn();
  expect(seen).toEqual(["a1", "b1", "c1", "a2", "b2"]);
  for (let n = 0; n < 6; n++) await turn();
  await Promise.all(all);
  expect(seen).toHaveLength(6);
});

test("filter and flatMap keep the order", async () => {
  const { begin } = world();
  expect(await begin().filter([1, 2, 3, 4], (value) => value % 2 === 0)).toEqual([2, 4]);
  expect(await begin().flatMap([1, 2], (value) => [value, value * 10])).toEqual([1, 10, 2, 20]);
});
