/** A boundary narrows and never widens: the decision under it is that of the scope, and of the boundary, together. */
import { parseModelName } from "@sallyport/protocol";
import type { DataPermission } from "@sallyport/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyOf, principalOf, roleOf } from "../../../../../test/builders.ts";
import { decide } from "../decide.ts";
import { defaultEnvironment } from "../default-environment.ts";
import { compileSnapshot } from "../snapshot.ts";
import type { Snapshot } from "../snapshot.ts";
import { isWithinBoundary } from "./boundary.ts";
import type { Boundary } from "./boundary.ts";

const PERMISSIONS = ["infer:chat", "infer:embed", "models:list", "models:delete", "cloud:infer"] as const;
const MODELS = ["llama3.2", "llama3.2:3b", "qwen3:8b", "hub.example/team/qwen3:8b"];
const SELECTORS = ["*", "llama3.2", "llama3.2:*", "qwen3:*", "team/*", "cloud:*"];

const permissions = fc.subarray<DataPermission>([...PERMISSIONS]);
const selectors = fc.option(fc.subarray(SELECTORS), { nil: null });
const boundaries: fc.Arbitrary<Boundary> = fc.array(fc.record({ permissions, models: selectors }), { maxLength: 3 });
const scopes = fc.record({ allow: permissions, models: fc.subarray(SELECTORS), roles: fc.subarray(["bot"]) });
const demanded = fc.record({
  permission: fc.constantFrom<DataPermission>(...PERMISSIONS),
  model: fc.constantFrom(null, ...MODELS.map((name) => parseModelName(name)!)),
  field: fc.constant("model"),
});

const MET = { address: "", isSigned: true, isIdentified: true };

function snapshotOf(): Snapshot {
  const everything = { roles: [], allow: [...PERMISSIONS], models: ["*", "cloud:*"] };
  return compileSnapshot({
    epoch: 1,
    environments: [{ ...defaultEnvironment, name: "dev", cloud: "allow" }],
    roles: [roleOf("bot", [{ permissions: ["infer:chat"], models: ["llama3.2:*"] }], { guard: { outputTokens: 7 } })],
    principals: [principalOf("p")],
    assignments: [
      { id: "a", subject: { principal: "p" }, environment: "dev", right: everything, source: "admin" },
      { id: "b", subject: { principal: "p" }, environment: "dev", right: { roles: ["bot"], allow: [], models: null }, source: "admin" }, // prettier-ignore
    ],
  });
}

describe("a boundary", () => {
  const snapshot = snapshotOf();

  it("allows exactly what the scope allows and the boundary covers, with the same terms", () => {
    fc.assert(
      fc.property(
        scopes,
        boundaries,
        fc.array(demanded, { minLength: 1, maxLength: 3 }),
        (scope, boundary, demands) => {
          const key = keyOf({ ceiling: scope });
          const question = { demands, offers: [], registries: [], asked: { images: 0 } };
          const whole = decide(snapshot.rightOf(key)!, question, MET);
          const bounded = decide(snapshot.rightOf({ ...key, boundary })!, question, MET);
          expect(bounded.isAllowed).toBe(whole.isAllowed && isWithinBoundary(boundary, demands));
          if (whole.isAllowed && bounded.isAllowed)
            expect(bounded.granted.outputTokens).toBe(whole.granted.outputTokens);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("that is empty leaves nothing", () => {
    const key = { ...keyOf({ ceiling: { roles: [], allow: ["models:list"], models: [] } }), boundary: [] };
    expect(snapshot.rightOf(key)!.ceiling).toEqual([]);
  });

  it("of one key is not that of another key with the same scope", () => {
    const key = keyOf({ ceiling: { roles: [], allow: ["models:list"], models: [] } });
    expect(snapshot.rightOf({ ...key, boundary: [] })!.ceiling).toEqual([]);
    expect(snapshot.rightOf(key)!.ceiling).toHaveLength(1);
  });
});
