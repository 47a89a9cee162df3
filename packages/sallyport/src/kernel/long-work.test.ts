import { expect, test } from "vitest";
import { LongWork, nextRound, ThreadLine } from "./long-work.ts";

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
    line,
    /** One round of the loop: what was planned before it, then all promises. */
    turn: async () => {
      for (const next of round.splice(0)) next();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test("work that is over within a slice never waits", async () => {
  const { begin, cost } = world();
  const seen: number[] = [];
  await begin().each([1, 2, 3], (value) => {
    cost(1);
    seen.push(value);
  });
  expect(seen).toEqual([1, 2, 3]);
});

test("after a slice other callbacks come first, and then it goes on", async () => {
  const { begin, cost, turn } = world();
  const seen: (number | string)[] = [];
  const done = begin().each([1, 2, 3, 4, 5], (value) => {
    cost(2);
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
  expect(seen).toEqual(["a1"]);
  for (let n = 2; n <= 6; n++) {
    await turn();
    expect(seen).toHaveLength(n);
  }
  await Promise.all(all);
  expect(seen).toEqual(["a1", "a2", "b1", "c1", "b2", "c2"]);
});

test("works that are short share the slice of a round, and the next round has another", async () => {
  const { begin, cost, turn, planned } = world();
  const seen: number[] = [];
  const visit = (value: number): void => {
    cost(1);
    seen.push(value);
  };
  await begin().each([1, 2], visit);
  const last = begin().each([3, 4], visit);
  await new Promise((resolve) => setImmediate(resolve));
  expect(seen).toEqual([1, 2, 3]);
  await turn();
  await last;
  expect(seen).toEqual([1, 2, 3, 4]);
  await turn();
  expect(planned()).toBe(0);
});

test("the next slice is in another round of the loop, from wherever the work began", async () => {
  const rounds: string[] = [];
  await new Promise<void>((resolve) => {
    // A callback of I/O: an immediate planned here runs in the same round.
    void import("node:fs").then(({ readFile }) =>
      readFile("package.json", () => {
        void nextRound().then(() => {
          rounds.push("the next slice");
          resolve();
        });
        // Planned after the slice, and yet before it: an immediate of this callback is of this round.
        setImmediate(() => rounds.push("the end of this round"));
      }),
    );
  });
  expect(rounds).toEqual(["the end of this round", "the next slice"]);
});

test("filter and flatMap keep the order", async () => {
  const { begin } = world();
  expect(await begin().filter([1, 2, 3, 4], (value) => value % 2 === 0)).toEqual([2, 4]);
  expect(await begin().flatMap([1, 2], (value) => [value, value * 10])).toEqual([1, 10, 2, 20]);
});
