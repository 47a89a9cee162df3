/** Every combination of what is demanded where and what is presented: allowed only when every door is open. */
import { describe, expect, test } from "vitest";
import type { Factor } from "@sallyport/protocol";
import { parseModelName } from "@sallyport/protocol";
import { keyOf, principalOf, roleOf } from "../../../../test/builders.ts";
import type { KeyFactors } from "../keys/key.ts";
import { decide, maySee, openRight } from "./decide.ts";
import type { Question } from "./decide.ts";
import { environmentDefaults } from "./default-environment.ts";
import type { Presented } from "./door.ts";
import type { Environment, Role } from "./policy.ts";
import { compileSnapshot } from "./snapshot.ts";
import type { EffectiveRight } from "./snapshot.ts";

const INSIDE = "10.1.2.3";
const OUTSIDE = "192.0.2.9";
const HOME = ["10.0.0.0/8"];
const model = parseModelName("llama3.2")!;

interface World {
  readonly environment?: Partial<Environment>;
  readonly role?: Partial<Role>;
  readonly key?: Partial<KeyFactors>;
}

function rightIn({ environment = {}, role = {}, key = {} }: World): EffectiveRight {
  const held = roleOf("bot", [{ permissions: ["infer:chat", "models:list"], models: ["llama3.2"] }], role);
  const right = { roles: ["bot"], allow: [], models: ["llama3.2"] };
  const snapshot = compileSnapshot({
    epoch: 1,
    environments: [{ ...environmentDefaults, name: "dev", upstreams: [], ...environment }],
    roles: [held],
    principals: [principalOf("p")],
    assignments: [{ id: "a", subject: { principal: "p" }, environment: "dev", right, source: "admin" }],
  });
  return snapshot.rightOf(keyOf({ ceiling: right, ...key }))!;
}

function codeFor(right: EffectiveRight, presented: Presented): string {
  const question: Question = {
    demands: [{ permission: "infer:chat", model, field: "model" }],
    registries: [],
    asked: { images: 0 },
    offers: [],
  };
  const decision = decide(right, question, presented);
  return decision.isAllowed ? "allowed" : decision.refusal.code;
}

const factorSets: readonly (readonly Factor[])[] = [
  [],
  ["network"],
  ["signature"],
  ["identity"],
  ["network", "signature"],
  ["network", "identity"],
  ["signature", "identity"],
  ["network", "signature", "identity"],
];
const presentations: readonly Presented[] = [INSIDE, OUTSIDE].flatMap((address) =>
  [false, true].flatMap((isSigned) => [false, true].map((isIdentified) => ({ address, isSigned, isIdentified }))),
);

describe.each(["environment", "role", "key", "permission"] as const)("demanded by the %s", (place) => {
  const demanding = (require: readonly Factor[]): World => {
    // A list of networks stands with the environment, whoever demands: one list is enough to prove a network.
    const environment = { networks: HOME };
    if (place === "permission")
      return { environment: { ...environment, requireFor: [{ permissions: ["infer:chat"], require }] } };
    return place === "environment"
      ? { environment: { ...environment, require } }
      : { environment, [place]: { require } };
  };

  test.each(factorSets.map((require) => [require] as const))("%j: allowed only when all are there", (require) => {
    const right = rightIn(demanding(require));
    for (const presented of presentations) {
      const isEnough =
        presented.address === INSIDE &&
        (!require.includes("signature") || presented.isSigned) &&
        (!require.includes("identity") || presented.isIdentified);
      expect([presented, codeFor(right, presented) === "allowed"]).toEqual([presented, isEnough]);
    }
  });
});

describe("networks", () => {
  const from = (address: string): Presented => ({ address, isSigned: false, isIdentified: false });

  test.each(["environment", "role", "key"] as const)(
    "a list of the %s binds, though nobody demands the factor",
    (place) => {
      const right = rightIn({ [place]: { networks: HOME } });
      expect([codeFor(right, from(INSIDE)), codeFor(right, from(OUTSIDE))]).toEqual(["allowed", "network_denied"]);
      expect(codeFor(right, from(`::ffff:${INSIDE}`))).toBe("allowed");
    },
  );

  test("every list that is written must hold the address", () => {
    const right = rightIn({ environment: { networks: HOME }, key: { networks: ["10.1.0.0/16"] } });
    expect(codeFor(right, from("10.1.0.1"))).toBe("allowed");
    expect(codeFor(right, from("10.2.0.1"))).toBe("network_denied");
  });

  test("where a network is demanded and none is written, nobody passes", () => {
    expect(codeFor(rightIn({ environment: { require: ["network"] } }), from(INSIDE))).toBe("network_unbound");
    expect(codeFor(rightIn({ role: { require: ["network"] } }), from(INSIDE))).toBe("network_unbound");
  });

  test("an empty list lets nobody in", () => {
    expect(codeFor(rightIn({ key: { networks: [] } }), from(INSIDE))).toBe("network_denied");
  });
});

test("what a role's door keeps shut is not there for listings either", () => {
  const right = rightIn({ role: { networks: HOME } });
  const of = (address: string): EffectiveRight => openRight(right, { address, isSigned: false, isIdentified: false });
  expect(maySee(of(INSIDE), model)).toBe(true);
  expect(maySee(of(OUTSIDE), model)).toBe(false);
});

test("a refusal names the factor, for the challenge", () => {
  const right = rightIn({ role: { require: ["signature"] } });
  const question = { demands: [{ permission: "infer:chat", model, field: "model" }], registries: [], asked: { images: 0 }, offers: [] } as const; // prettier-ignore
  const because: string[] = [];
  const decision = decide(right, question, { address: INSIDE, isSigned: false, isIdentified: false }, because);
  expect(decision).toMatchObject({ isAllowed: false, refusal: { code: "signature_missing", factor: "signature" } });
  expect(because.at(-1)).toBe("role bot demands the factor signature: missing");
});
