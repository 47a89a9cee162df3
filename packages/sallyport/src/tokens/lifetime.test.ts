import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dataPermissions } from "@sallyport/protocol";
import { LIFETIME_MAX_MS, LIFETIME_MIN_MS, tokenLifetime } from "./lifetime.ts";
import type { LifetimeQuestion } from "./lifetime.ts";

const DAY_MS = 86_400_000;
const usual: LifetimeQuestion = {
  usualMs: 15 * 60_000,
  permissions: ["infer:chat"],
  isBound: false,
  isNetworkBound: false,
  isIdentified: false,
  keyAge: 0,
  isSuspect: false,
  askedMs: null,
  keyLeftMs: 90 * DAY_MS,
};
const minutes = (change: Partial<LifetimeQuestion>): number => tokenLifetime({ ...usual, ...change }).ms / 60_000;

describe("the sum", () => {
  test.each([
    [{}, 15],
    [{ permissions: ["models:list", "runtime:ps"] }, 30],
    [{ permissions: ["infer:chat", "models:delete"] }, 3.75],
    [{ isBound: true }, 60],
    [{ isNetworkBound: true }, 30],
    [{ isBound: true, isNetworkBound: true, isIdentified: true }, 240],
    [{ keyAge: 0.9 }, 7.5],
    [{ isSuspect: true }, 1.5],
    [{ isSuspect: true, permissions: ["cloud:infer"] }, 1],
    [{ askedMs: 5 * 60_000 }, 5],
    [{ askedMs: 5 * 3_600_000 }, 15],
    [{ askedMs: 1_000 }, 1],
    [{ keyLeftMs: 30_000 }, 0.5],
    [{ keyLeftMs: -1 }, 0],
    [{ usualMs: 12 * 3_600_000, isBound: true }, 720],
  ] as const)("%j: %d minutes", (change, wanted) => {
    expect(minutes(change as Partial<LifetimeQuestion>)).toBe(wanted);
  });

  test("is told step by step", () => {
    const { because } = tokenLifetime({ ...usual, permissions: ["models:delete"], isBound: true, askedMs: 60_000 });
    expect(because).toEqual([
      "the environment's usual time is 15m",
      "models:delete can do harm to others: x 0.25",
      "a thief of the token alone cannot use it: x 4",
      "no more was asked for",
      "so it lives 1m",
    ]);
  });
});

const question: fc.Arbitrary<LifetimeQuestion> = fc.record({
  usualMs: fc.integer({ min: 1_000, max: LIFETIME_MAX_MS }),
  permissions: fc.uniqueArray(fc.constantFrom(...dataPermissions), { minLength: 1, maxLength: 6 }),
  isBound: fc.boolean(),
  isNetworkBound: fc.boolean(),
  isIdentified: fc.boolean(),
  keyAge: fc.double({ min: 0, max: 1, noNaN: true }),
  isSuspect: fc.boolean(),
  askedMs: fc.option(fc.integer({ min: 1, max: DAY_MS })),
  keyLeftMs: fc.integer({ min: 0, max: 90 * DAY_MS }),
});

describe("whatever is asked", () => {
  test("it stays within its bounds and its key", () => {
    fc.assert(
      fc.property(question, (one) => {
        const { ms } = tokenLifetime(one);
        expect(ms).toBeLessThanOrEqual(Math.min(LIFETIME_MAX_MS, one.keyLeftMs));
        expect(ms).toBeGreaterThanOrEqual(Math.min(LIFETIME_MIN_MS, Math.floor(one.keyLeftMs / 1_000) * 1_000));
        expect(ms % 1_000).toBe(0);
      }),
    );
  });

  test("more harm, more suspicion, or less presented never lengthens it", () => {
    fc.assert(
      fc.property(question, fc.constantFrom(...dataPermissions), (one, permission) => {
        const { ms } = tokenLifetime(one);
        const worse: readonly Partial<LifetimeQuestion>[] = [
          { permissions: [...one.permissions, permission] },
          { isSuspect: true },
          { isBound: false },
          { isNetworkBound: false },
          { isIdentified: false },
          { keyAge: 1 },
          { keyLeftMs: Math.floor(one.keyLeftMs / 2) },
          { askedMs: Math.min(one.askedMs ?? DAY_MS, 60_000) },
        ];
        for (const change of worse) expect(tokenLifetime({ ...one, ...change }).ms).toBeLessThanOrEqual(ms);
      }),
    );
  });
});
