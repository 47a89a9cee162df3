import { beforeEach, expect, test } from "vitest";
import { CallerShares } from "./caller-shares.ts";
import type { Caller } from "./caller.ts";

let nowMs = 0;
let shares: CallerShares;
beforeEach(() => {
  nowMs = 0;
  shares = new CallerShares({ monotonic: () => nowMs });
});

const caller = (id: string, more: object = {}): Caller =>
  ({
    kind: "tcp",
    address: null,
    expiresAt: null,
    issuer: {
      actor: `key:${id}`,
      right: { permissions: ["keys:manage"], environments: ["dev"], mayGrant: {}, ...more },
    },
  }) as unknown as Caller;

/** How many of so many calls are let in; each is over before the next. */
function letIn(route: string, by: Caller, count: number): number {
  let inside = 0;
  for (let i = 0; i < count; i++) {
    try {
      shares.enter(route, by)();
      inside++;
    } catch {
      // Denied.
    }
  }
  return inside;
}

test("each provisioning client has a rate of its own", () => {
  expect(letIn("scim", caller("dev"), 1_000)).toBe(250);
  expect(letIn("scim", caller("prod"), 250)).toBe(250);
  nowMs += 1_000;
  expect(letIn("scim", caller("dev"), 1_000)).toBe(50);
});

test("a caller who used up everything else still revokes", () => {
  const by = caller("a");
  expect(letIn("keys.list", by, 5_000)).toBe(1_000);
  expect(letIn("audit.search", by, 5_000)).toBe(200);
  expect(letIn("keys.revoke", by, 100)).toBe(100);
});

test("calls that run at the same time are bounded for each caller, and in all", () => {
  const leave = Array.from({ length: 64 }, () => shares.enter("keys.list", caller("a")));
  expect(() => shares.enter("keys.list", caller("a"))).toThrow();
  shares.enter("keys.revoke", caller("a"))();
  leave.pop()!();
  shares.enter("keys.list", caller("a"));
  for (let n = 0; n < 5; n++) for (let i = 0; i < 64; i++) shares.enter("keys.list", caller(`b${n}`));
  for (let i = 0; i < 8; i++) shares.enter("keys.list", caller("c"));
  expect(() => shares.enter("keys.list", caller("c"))).toThrow();
});

test("whoever administers everything, and the user beside the server, is not slowed down", () => {
  const full = caller("root", { environments: "*", mayGrant: "*", permissions: ["admin:manage"] });
  expect(letIn("keys.list", full, 5_000)).toBe(5_000);
  expect(letIn("keys.list", { ...caller("x"), kind: "socket" }, 5_000)).toBe(5_000);
});
