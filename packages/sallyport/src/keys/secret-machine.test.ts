import { isRefusal } from "@sallyport/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyOf } from "../../../../test/builders.ts";
import type { KeyRecord } from "./key.ts";
import { beginRotation, endOverlap, noteFirstUse, secretRefusal, settle } from "./secret-machine.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const first = { hash: Buffer.alloc(32, 1), pepperVersion: 1, expiresAt: 90 * DAY };
const key = keyOf({ id: "A".repeat(12) }, first);

function begin(held: KeyRecord, at: number, graceMs = DAY, capMs = 14 * DAY): KeyRecord {
  const secret = { ...first, expiresAt: at + 90 * DAY };
  const next = beginRotation(held, {
    by: "x",
    at,
    graceMs,
    capMs,
    secret,
    restart: true,
    sealed: { text: "s", until: at + HOUR },
  });
  if (isRefusal(next)) throw new Error(next.code);
  return next;
}

/** The generations that open the key at `now`. */
function working(held: KeyRecord, now: number): number[] {
  return held.secrets.filter((secret) => !secretRefusal(held, secret, now)).map(({ generation }) => generation);
}

describe("a rotation", () => {
  it("leaves the old secret alone until the new one is used, then for the grace", () => {
    const begun = begin(key, DAY);
    expect(working(begun, 10 * DAY)).toEqual([1, 2]);
    const used = noteFirstUse(begun, 2, 3 * DAY);
    expect(working(used, 4 * DAY - 1)).toEqual([1, 2]);
    expect(working(used, 4 * DAY)).toEqual([2]);
    expect(used.rotation?.sealed).toBeNull();
    expect(settle(used, 4 * DAY)).toMatchObject({
      rotation: null,
      secrets: [{ state: "destroyed" }, { state: "active" }],
    });
  });

  it("never lasts longer than its cap, and never longer than the old secret's own life", () => {
    expect(working(noteFirstUse(begin(key, 0, 14 * DAY), 2, 10 * DAY), 14 * DAY)).toEqual([2]);
    expect(working(noteFirstUse(begin(key, 89 * DAY, 7 * DAY), 2, 89 * DAY), 90 * DAY)).toEqual([2]);
    const unused = begin(key, 0);
    expect(working(unused, 14 * DAY)).toEqual([1]);
    expect(settle(unused, 14 * DAY)).toMatchObject({
      rotation: null,
      secrets: [{ state: "active" }, { state: "destroyed" }],
    });
  });

  it("ends early when the old secret has gone quiet while the new one is used", () => {
    const used = noteFirstUse(begin(key, 0, 7 * DAY), 2, DAY);
    const quiet = (old: number, fresh: number) => ({
      quietMs: DAY,
      uses: new Map([
        [1, old],
        [2, fresh],
      ]),
    });
    expect(settle(used, 3 * DAY, quiet(2.5 * DAY, 3 * DAY))).toBe(used);
    // Nobody uses either: a holiday says nothing about who still has the old one.
    expect(settle(used, 3 * DAY, quiet(DAY, DAY + 1))).toBe(used);
    expect(settle(used, 3 * DAY, quiet(DAY + HOUR, 3 * DAY)).rotation).toBeNull();
  });

  it("is refused while the last one overlaps; and while its new secret is unused unless it begins again on purpose", () => {
    const used = noteFirstUse(begin(key, 0), 2, 0);
    const secret = { ...first, expiresAt: 90 * DAY };
    const order = { by: "x", at: HOUR, graceMs: DAY, capMs: DAY, secret, sealed: null, restart: false };
    expect(beginRotation(begin(key, 0), order)).toMatchObject({ code: "rotation_in_progress" });
    expect(beginRotation(used, order)).toEqual({ code: "rotation_in_progress" });
    expect(beginRotation({ ...key, state: "revoked" }, order)).toEqual({ code: "key_revoked" });
    expect(working(begin(begin(key, 0), HOUR), HOUR)).toEqual([1, 3]);
    expect(working(endOverlap(used, HOUR), HOUR)).toEqual([2]);
    expect(endOverlap(key, HOUR)).toBe(key);
  });

  it("gives an expired key's old secret no second life", () => {
    const late = noteFirstUse(begin(key, 91 * DAY), 2, 91 * DAY);
    expect(working(late, 91 * DAY)).toEqual([2]);
  });
});

type Step =
  | { readonly kind: "begin"; readonly graceMs: number }
  | { readonly kind: "use"; readonly back: number }
  | { readonly kind: "settle" }
  | { readonly kind: "end" };

const step: fc.Arbitrary<{ step: Step; waitMs: number }> = fc.record({
  waitMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5 * DAY })),
  step: fc.oneof(
    fc.record({ kind: fc.constant("begin" as const), graceMs: fc.integer({ min: 0, max: 14 * DAY }) }),
    fc.record({ kind: fc.constant("use" as const), back: fc.integer({ min: 0, max: 3 }) }),
    fc.record({ kind: fc.constant("settle" as const) }),
    fc.record({ kind: fc.constant("end" as const) }),
  ),
});

describe("whatever happens in whatever order", () => {
  it("one secret works until the age's end, never more than two, and a destroyed one never again", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let held = key;
        let now = 0;
        const dead = new Set<number>();
        for (const { step: one, waitMs } of steps) {
          now += waitMs;
          const before = held;
          if (one.kind === "begin") {
            const secret = { ...first, expiresAt: now + 90 * DAY };
            const next = beginRotation(held, {
              by: "x",
              at: now,
              graceMs: one.graceMs,
              capMs: 14 * DAY,
              secret,
              sealed: null,
              restart: true,
            });
            if (!isRefusal(next)) held = next;
          } else if (one.kind === "use") {
            // Only who is let in can use a secret.
            const generation = working(held, now).at(-1 - one.back);
            if (generation !== undefined) {
              held = noteFirstUse(held, generation, now);
              // A second request at the same instant finds it done.
              expect(noteFirstUse(held, generation, now)).toBe(held);
            }
          } else held = one.kind === "end" ? endOverlap(held, now) : settle(held, now);
          const settled = settle(held, now);
          expect(settle(settled, now)).toBe(settled);

          const open = working(held, now);
          const isAged = before.secrets.every(({ state, expiresAt }) => state !== "active" || expiresAt! <= now);
          if (!isAged) expect(open.length).toBeGreaterThanOrEqual(1);
          expect(open.length).toBeLessThanOrEqual(2);
          expect(held.secrets.filter(({ state }) => state === "active").length).toBe(1);
          for (const { generation, state } of held.secrets) {
            if (dead.has(generation)) expect(state).toBe("destroyed");
            if (state === "destroyed") dead.add(generation);
          }
          for (const generation of open) expect(dead.has(generation)).toBe(false);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
