import { expect, it } from "vitest";
import { keyOf } from "../../../../test/builders.ts";
import { environmentDefaults } from "../access/default-environment.ts";
import { findDue } from "./disuse.ts";
import type { KeyFacts } from "./disuse.ts";
import type { KeyRecord } from "./key.ts";

const DAY = 86_400_000;
const life = environmentDefaults.keyLife;

function facts(days: number, more: Partial<KeyFacts> = {}, changed: Partial<KeyRecord> = {}): KeyFacts {
  const key = keyOf({ id: "A".repeat(12), ...changed }, { expiresAt: 400 * DAY });
  return { key, life, uses: new Map(), hasOwner: true, now: days * DAY, ...more };
}
const used = (day: number) => ({ uses: new Map([[1, day * DAY]]) });
const aged = (days: number) => ({ secrets: [{ ...facts(0).key.secrets[0]!, expiresAt: days * DAY }] });

it.each([
  ["fresh", facts(13), undefined],
  ["never used", facts(14), "key_never_used suspend 14"],
  ["never used since it was resumed", facts(20, {}, { idleSince: 10 * DAY }), undefined],
  ["used lately", facts(29, used(1)), undefined],
  ["unused for 30 days", facts(31, used(1)), "key_unused notice 31"],
  ["unused, and told", facts(32, used(1), { told: [`unused:${DAY}`] }), undefined],
  ["unused for 45 days", facts(46, used(1), { told: [`unused:${DAY}`] }), "key_unused suspend 46"],
  ["resumed after its suspension: counted anew", facts(60, used(1), { idleSince: 50 * DAY }), undefined],
  [
    "and suspended again in time",
    facts(95, used(1), { idleSince: 50 * DAY, told: [`unused:${50 * DAY}`] }),
    "key_unused suspend 95",
  ],
  ["suspended meanwhile", facts(60, used(1), { state: "suspended" }), undefined],
  ["unused for 90 days", facts(91, used(1), { state: "suspended" }), "key_unused revoke 91"],
  ["bait is meant to lie unused", facts(300, {}, { isDecoy: true }), undefined],
  ["bait grows old as others", facts(390, {}, { isDecoy: true }), "key_expiring notice 386"],
  ["a revoked one", facts(500, {}, { state: "revoked" }), undefined],
  ["an admin key", facts(500, {}, { owner: null }), undefined],
  ["no owner", facts(2, { ...used(1), hasOwner: false }), "key_orphaned notice 2"],
  ["no owner, told", facts(8, { ...used(7), hasOwner: false }, { told: [`orphaned:${2 * DAY}`] }), undefined],
  [
    "no owner for 7 days",
    facts(9, { ...used(8), hasOwner: false }, { told: [`orphaned:${2 * DAY}`] }),
    "key_orphaned suspend 9",
  ],
  ["14 days to go", facts(76, used(75), aged(90)), "key_expiring notice 76"],
  ["told of 14 days", facts(77, used(75), { ...aged(90), told: [`expiring:${90 * DAY}:${14 * DAY}`] }), undefined],
  ["two notices missed: one is given", facts(88, used(87), aged(90)), "key_expiring notice 87"],
  ["expired: may still be rotated", facts(96, used(89), aged(90)), undefined],
  ["expired for 7 days", facts(97, used(89), aged(90)), "key_expired revoke 97"],
] as const)("%s", (_, given, wanted) => {
  const due = findDue(given);
  expect(due && `${due.code} ${due.action} ${due.dueAt / DAY}`).toBe(wanted);
});

it("a length of zero switches a rung off", () => {
  const never = { ...life, neverUsedMs: 0, unusedNoticeMs: 0, idleMs: 0, destroyMs: 0, orphanMs: 0 };
  expect(findDue(facts(300, { life: never, hasOwner: false }))).toBeUndefined();
});
