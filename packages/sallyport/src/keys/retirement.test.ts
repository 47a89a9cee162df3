import { expect, it } from "vitest";
import { keyOf } from "../../../../test/builders.ts";
import { environmentDefaults } from "../access/default-environment.ts";
import { addRetirementHeaders, brownoutSeconds, retirementOf } from "./retirement.ts";

const DAY = 86_400_000;
const life = environmentDefaults.keyLife;
const key = keyOf({ id: "A".repeat(12) }, { expiresAt: 90 * DAY });
const secret = key.secrets[0]!;

it("is told from the first notice on", () => {
  expect(retirementOf(key, secret, life, 76 * DAY - 1)).toBeNull();
  expect(retirementOf(key, secret, life, 76 * DAY)).toEqual({ since: 76 * DAY, endsAt: 90 * DAY });
});

it("is told to whoever still uses the old secret, with that secret's end", () => {
  const old = { ...secret, state: "overlapping", endsAt: 12 * DAY } as const;
  expect(retirementOf(key, old, life, 10 * DAY)).toMatchObject({ endsAt: 12 * DAY });
});

it("is written as RFC 9745 and RFC 8594 want it", () => {
  const headers: string[] = [];
  addRetirementHeaders(headers, { since: Date.UTC(2026, 0, 1), endsAt: Date.UTC(2026, 0, 15, 12) });
  expect(headers).toEqual(["deprecation", "@1767225600", "sunset", "Thu, 15 Jan 2026 12:00:00 GMT"]);
  addRetirementHeaders(headers, null);
  expect(headers).toHaveLength(4);
});

it("a brown-out is the first five minutes of each hour, in the last days, where policy asks for it", () => {
  const ends = { since: 0, endsAt: 90 * DAY };
  const asked = { ...life, brownoutMs: 3 * DAY };
  expect(brownoutSeconds(ends, life, 89 * DAY)).toBe(0);
  expect(brownoutSeconds(ends, asked, 86 * DAY)).toBe(0);
  expect(brownoutSeconds(ends, asked, 88 * DAY)).toBe(300);
  expect(brownoutSeconds(ends, asked, 88 * DAY + 299_000)).toBe(1);
  expect(brownoutSeconds(ends, asked, 88 * DAY + 300_000)).toBe(0);
});

it("a log-in is never announced to end: it is short, and begun anew", () => {
  const session = { authenticatedAt: 0 } as unknown as NonNullable<typeof key.session>;
  expect(retirementOf({ ...key, session }, secret, life, 89 * DAY)).toBeNull();
});
