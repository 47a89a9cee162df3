/** What counts as opening something wider: nothing against itself, and never a step and its way back both. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { roleOf } from "../../../../test/builders.ts";
import { isNetworkWithin } from "../kernel/network-list.ts";
import { defaultEnvironment } from "./default-environment.ts";
import type { Environment, Role } from "./policy.ts";
import { widens } from "./widening.ts";

const upTo = (most: number) => fc.option(fc.integer({ min: 1, max: most }), { nil: undefined });

const environments: fc.Arbitrary<Environment> = fc
  .record({
    networks: fc.constantFrom(null, ["10.0.0.0/8"], ["10.1.0.0/16"], ["10.1.0.0/16", "192.168.0.0/16"]),
    require: fc.subarray(["network", "signature", "identity"] as const),
    cloud: fc.constantFrom("deny", "allow"),
    pathSecrets: fc.constantFrom("deny", "allow"),
    keyMaxAgeMs: fc.integer({ min: 1, max: 5 }),
    idleMs: fc.integer({ min: 0, max: 3 }),
    ttlMs: fc.integer({ min: 1, max: 5 }),
    isOnly: fc.boolean(),
    concurrency: upTo(3),
    outputTokens: upTo(3),
  })
  .map(({ idleMs, ttlMs, isOnly, concurrency, outputTokens, ...more }) => ({
    ...defaultEnvironment,
    ...more,
    keyLife: { ...defaultEnvironment.keyLife, idleMs },
    tokens: { ttlMs, isOnly },
    limits: concurrency === undefined ? {} : { concurrency },
    guard: outputTokens === undefined ? {} : { outputTokens },
  })) as fc.Arbitrary<Environment>;

const roles: fc.Arbitrary<Role> = fc
  .record({
    permissions: fc.subarray(["infer:chat", "infer:embed", "models:delete"] as const, { minLength: 1 }),
    models: fc.constantFrom(null, ["*"], ["llama3.2"], ["llama3.2:*"]),
    networks: fc.constantFrom(null, ["10.0.0.0/8"]),
  })
  .map(({ permissions, models, networks }) => roleOf("r", [{ permissions, models }], { networks }));

const ofEnvironment = (of: Environment) => ({ kind: "environment", of }) as const;
const ofRole = (of: Role) => ({ kind: "role", of }) as const;

describe("an environment or a role", () => {
  it("opens nothing against itself", () => {
    fc.assert(fc.property(environments, (one) => widens(ofEnvironment(one), ofEnvironment(one)).length === 0));
    fc.assert(fc.property(roles, (one) => widens(ofRole(one), ofRole(one)).length === 0));
  });

  it("that differs opens something one way or the other", () => {
    const differ = (a: Environment, b: Environment): boolean => JSON.stringify(a) !== JSON.stringify(b);
    fc.assert(
      fc.property(environments, environments, (a, b) => {
        fc.pre(differ({ ...a, require: a.require.toSorted() }, { ...b, require: b.require.toSorted() }));
        return (
          widens(ofEnvironment(a), ofEnvironment(b)).length + widens(ofEnvironment(b), ofEnvironment(a)).length > 0
        );
      }),
    );
  });
});

it.each([
  ["10.1.2.0/24", "10.0.0.0/8", true],
  ["10.0.0.0/8", "10.1.0.0/16", false],
  ["::ffff:10.1.2.3", "10.0.0.0/8", true],
  ["10.0.0.0/8", "::/0", false],
  ["2001:db8:1::/48", "2001:db8::/32", true],
  ["0.0.0.0/0", "0.0.0.0/1", false],
])("%s lies in %s: %s", (narrow, wide, isWithin) => {
  expect(isNetworkWithin(narrow, wide)).toBe(isWithin);
});
