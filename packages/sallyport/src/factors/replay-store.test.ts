import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KeptUntil } from "../kernel/kept-until.ts";
import type { ShareRules } from "../kernel/shares.ts";
import { ReplayStore } from "./replay-store.ts";
import type { SeenSignature } from "./replay-store.ts";

const START = 1_000_000_000;
/** The first second whose requests are taken after that start. */
const FIRST = START / 1000 + 6;
const seen = (nonce: string, more: Partial<SeenSignature> = {}): SeenSignature => ({
  keyid: "k",
  nonce,
  created: FIRST,
  expires: FIRST + 60,
  ...more,
});
const shares = (capacity: number, owner: number): ShareRules<"owner"> => ({
  capacity,
  perOwner: { owner },
  reserve: 0,
  little: 0,
});
const at = (second: number): number => second * 1000;

describe("the memory of nonces", () => {
  it("takes a nonce once for each environment and key, until it would have expired anyway", () => {
    const store = new ReplayStore({ startedAt: START });
    const take = (signature: SeenSignature, now = at(FIRST), environment = "prod"): string | undefined =>
      store.take(environment, signature.keyid, signature, now)?.reason;
    expect(take(seen("a"))).toBeUndefined();
    expect(take(seen("a"))).toBe("signature_replayed");
    expect(take(seen("b"))).toBeUndefined();
    expect(take(seen("a", { keyid: "other" }))).toBeUndefined();
    expect(take(seen("a"), at(FIRST), "dev")).toBeUndefined();
    expect(take(seen("a"), at(FIRST + 65))).toBe("signature_replayed");
    expect(take(seen("a"), at(FIRST + 65) + 1)).toBe("signature_expired");
    expect(store.size("prod")).toBe(3);
    expect(take(seen("c", { created: FIRST + 60, expires: FIRST + 99 }), at(FIRST + 66))).toBeUndefined();
    expect([store.size("prod"), store.size("dev"), store.size("none")]).toEqual([1, 1, 0]);
  });

  it("refuses what an earlier process may have taken: up to its skew after this one's start", () => {
    const store = new ReplayStore({ startedAt: START });
    const take = (created: number): string | undefined =>
      store.take("prod", "k", seen(`n${created}`, { created }), at(FIRST))?.reason;
    expect(take(START / 1000 - 1)).toBe("signature_before_start");
    expect(take(START / 1000 + 5)).toBe("signature_before_start");
    expect(take(FIRST)).toBeUndefined();
  });

  it("refuses when it is full, forgets nothing early, and one key cannot take everybody's room", () => {
    const store = new ReplayStore({ startedAt: START, shares: shares(3, 2) });
    const take = (keyid: string, nonce: string, now = at(FIRST)): string | undefined =>
      store.take("prod", keyid, seen(nonce, { keyid }), now)?.reason;
    expect([take("k", "1"), take("k", "2"), take("k", "3")]).toEqual([undefined, undefined, "replay_key_full"]);
    expect([take("l", "1"), take("l", "2"), take("m", "1")]).toEqual([
      undefined,
      "replay_store_full",
      "replay_store_full",
    ]);
    expect(take("k", "1")).toBe("signature_replayed");
    expect(store.take("dev", "k", seen("1"), at(FIRST))).toBeUndefined();
    const late = seen("9", { created: FIRST + 60, expires: FIRST + 120 });
    expect(store.take("prod", "k", late, at(FIRST + 65))?.reason).toBe("replay_key_full");
    expect(store.take("prod", "k", late, at(FIRST + 66))).toBeUndefined();
  });

  it("a clock that is set back opens nothing again", () => {
    const store = new ReplayStore({ startedAt: START });
    expect(store.take("prod", "k", seen("a"), at(FIRST))).toBeUndefined();
    expect(store.take("prod", "k", seen("b", { created: FIRST + 1000, expires: FIRST + 1060 }), at(FIRST + 1000))).toBe(
      undefined,
    );
    expect(store.take("prod", "k", seen("a"), at(FIRST))?.reason).toBe("signature_expired");
  });

  it("never takes one twice and never holds more than it may, whatever comes and however the clock jumps", () => {
    const request = fc.record({
      nonce: fc.constantFrom("a", "b", "c", "d", "e", "f", "g"),
      keyid: fc.constantFrom("k", "l"),
      environment: fc.constantFrom("dev", "prod"),
      age: fc.integer({ min: -5, max: 60 }),
      life: fc.integer({ min: 1, max: 60 }),
      jump: fc.integer({ min: -30_000, max: 90_000 }),
      isRepeat: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 60 }), (requests) => {
        const store = new ReplayStore({ startedAt: START, shares: shares(6, 4) });
        const taken = new Set<string>();
        const sent: { environment: string; signature: SeenSignature }[] = [];
        let now = at(FIRST);
        for (const { environment, nonce, keyid, age, life, jump, isRepeat } of requests) {
          now += jump;
          const created = Math.floor(now / 1000) - age;
          const fresh = { environment, signature: { keyid, nonce, created, expires: created + life } };
          const one = isRepeat && sent.length > 0 ? sent[age < 0 ? 0 : age % sent.length]! : fresh;
          sent.push(one);
          if (store.take(one.environment, one.signature.keyid, one.signature, now) !== undefined) continue;
          const { signature } = one;
          expect(taken).not.toContain(JSON.stringify(one));
          taken.add(JSON.stringify(one));
          expect(signature.created * 1000).toBeGreaterThan(START + 5000);
          expect(signature.expires * 1000 + 5000).toBeGreaterThanOrEqual(now);
          expect(store.size(one.environment)).toBeLessThanOrEqual(6);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("what is kept until a time", () => {
  it("is what a plain list would keep", () => {
    const step = fc.record({ id: fc.nat(9), life: fc.integer({ min: 0, max: 5000 }), pass: fc.nat(3000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const kept = new KeptUntil<number>(shares(8, 8));
        const plain = new Map<string, { value: number; until: number }>();
        let now = 0;
        for (const [n, { id, life, pass }] of steps.entries()) {
          now += pass;
          kept.advance(now);
          // It may keep a little longer, to the end of the second; never less long.
          for (const [key, { until }] of plain)
            if ((Math.floor(until / 1000) + 1) * 1000 <= Math.floor(now / 1000) * 1000) plain.delete(key);
          for (const [key, { value }] of plain) expect(kept.get("o", key)).toBe(value);
          expect(kept.size).toBe(plain.size);
          if (plain.has(`${id}`)) continue;
          const said = kept.put("o", `${id}`, n, now + life);
          expect(said).toBe(plain.size >= 8 ? "owner_full" : "kept");
          if (said === "kept") plain.set(`${id}`, { value: n, until: now + life });
        }
      }),
      { numRuns: 2000 },
    );
  });
});
