import fc from "fast-check";
import { expect, test } from "vitest";
import { Shares } from "./shares.ts";

const rules = { capacity: 10, perOwner: { key: 4, principal: 6 }, reserve: 3, little: 1 };
const of = (key: string, principal = key): { key: string; principal: string } => ({ key, principal });

test("an owner holds its share at every level, and no more", () => {
  const shares = new Shares(rules);
  expect([1, 2, 3, 4, 5].map(() => shares.take(of("a", "ada")))).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    "key",
  ]);
  expect(shares.take(of("b", "ada"), 3)).toBe("principal");
  expect(shares.take(of("b", "ada"), 2)).toBeUndefined();
  expect([shares.heldBy("key", "a"), shares.heldBy("principal", "ada"), shares.held]).toEqual([4, 6, 6]);
});

test("owners who hold much leave the reserve to those who hold little", () => {
  const shares = new Shares(rules);
  expect(shares.take(of("a"), 4)).toBeUndefined();
  expect(shares.take(of("b"), 3)).toBeUndefined();
  expect(shares.take(of("c"), 2)).toBe("all");
  expect([shares.take(of("c")), shares.take(of("d")), shares.take(of("e"))]).toEqual([undefined, undefined, undefined]);
  expect(shares.take(of("f"))).toBe("all");
  expect(shares.largest("key")).toBe("a");
});

test("what was refused took nothing, and what is given back is there again", () => {
  const step = fc.record({ owner: fc.constantFrom("a", "b", "c"), amount: fc.integer({ min: 1, max: 5 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const shares = new Shares(rules);
      const taken: { owner: string; amount: number }[] = [];
      for (const one of steps) {
        if (shares.take(of(one.owner, "all"), one.amount) === undefined) taken.push(one);
        const held = taken.reduce((sum, { amount }) => sum + amount, 0);
        expect(shares.held).toBe(held);
        expect(held).toBeLessThanOrEqual(6);
        if (taken.length > 3) {
          const { owner, amount } = taken.shift()!;
          shares.give(of(owner, "all"), amount);
        }
      }
      for (const { owner, amount } of taken) shares.give(of(owner, "all"), amount);
      expect([shares.held, shares.largest("key")]).toEqual([0, undefined]);
    }),
  );
});
