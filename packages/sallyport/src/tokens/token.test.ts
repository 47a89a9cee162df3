import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dataPermissions } from "@sallyport/protocol";
import { ACTORS_MAX, claimsOf, readClaims } from "./token.ts";
import type { Token } from "./token.ts";

const id = fc.stringMatching(/^[0-9A-Za-z]{12}$/);
const token: fc.Arbitrary<Token> = fc.record({
  id,
  environment: fc.constantFrom("dev", "prod"),
  keyId: id,
  subject: id,
  permissions: fc.uniqueArray(fc.constantFrom(...dataPermissions), { minLength: 1, maxLength: 5 }),
  models: fc.option(fc.uniqueArray(fc.constantFrom("llama3.2", "qwen3:*", "cloud:gpt-oss"), { minLength: 1 })),
  issuedAt: fc.integer({ min: 0, max: 2 ** 33 }).map((seconds) => seconds * 1_000),
  expiresAt: fc.integer({ min: 0, max: 2 ** 33 }).map((seconds) => seconds * 1_000),
  thumbprint: fc.option(fc.stringMatching(/^[A-Za-z0-9_-]{43}$/)),
  authenticatedAt: fc.option(fc.integer({ min: 0, max: 2 ** 33 })),
  actors: fc.array(id, { maxLength: ACTORS_MAX }),
});

test("what is written is read again", () => {
  fc.assert(
    fc.property(token, (one) => {
      expect(readClaims({ ...claimsOf(one), iat: one.issuedAt / 1_000, exp: one.expiresAt / 1_000 })).toEqual(one);
    }),
  );
});

describe("claims that are not exactly ours are no token", () => {
  const whole = { jti: "j", sub: "s", client_id: "k", environment: "dev", scope: "infer:chat", iat: 1, exp: 2 };
  test.each([
    { jti: undefined },
    { jti: 5 },
    { sub: "with space" },
    { client_id: "" },
    { environment: "DEV" },
    { scope: "" },
    { scope: "infer:chat admin:everything" },
    { scope: ["infer:chat"] },
    { iat: "1" },
    { exp: 1.5 },
    { exp: -1 },
    { models: "llama3.2" },
    { models: ["no selector :: at all"] },
    { cnf: {} },
    { cnf: { jkt: "short" } },
    { cnf: "x" },
    { auth_time: "now" },
    { act: "x" },
    { act: { sub: 1 } },
    { act: { sub: "a", act: { sub: "b", act: { sub: "c", act: { sub: "d", act: { sub: "e" } } } } } },
  ])("%j", (change) => {
    expect(readClaims(whole)).toBeDefined();
    expect(readClaims({ ...whole, ...change })).toBeUndefined();
  });
});
