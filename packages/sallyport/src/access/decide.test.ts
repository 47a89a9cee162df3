import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseModelName } from "@sallyport/protocol";
import type { DataPermission } from "@sallyport/protocol";
import { keyOf, principalOf, roleOf } from "../../../../test/builders.ts";
import { decide, isHeld, maySee } from "./decide.ts";
import type { Question } from "./decide.ts";
import { environmentDefaults } from "./default-environment.ts";
import type { Assignment, Environment, Guard, PolicyState, RightSpec, Role } from "./policy.ts";
import { compileSnapshot, emptySnapshot } from "./snapshot.ts";
import type { EffectiveRight } from "./snapshot.ts";

const PRESENTED = { address: "127.0.0.1", isSigned: false, isIdentified: false };
const dev: Environment = { ...environmentDefaults, name: "dev", upstreams: [{ id: "u1", url: "http://127.0.0.1:1" }] };

interface World {
  readonly ceiling: RightSpec;
  readonly live: RightSpec | null;
  readonly roles?: readonly Role[];
  readonly environment?: Partial<Environment>;
  readonly isDisabled?: boolean;
}

function rightIn({ ceiling, live, roles = [], environment = {}, isDisabled = false }: World): EffectiveRight {
  const assignments: Assignment[] = live
    ? [{ id: "a", subject: { principal: "p" }, environment: "dev", right: live, source: "admin" }]
    : [];
  const state: PolicyState = {
    epoch: 1,
    environments: [{ ...dev, ...environment }],
    roles,
    principals: [principalOf("p", { isDisabled, disabledBy: isDisabled ? ["admin"] : [] })],
    assignments,
  };
  return compileSnapshot(state).rightOf(keyOf({ ceiling }))!;
}

function ask(permission: DataPermission, model: string | null, more: Partial<Question> = {}): Question {
  return {
    demands: [{ permission, model: model === null ? null : parseModelName(model)!, field: "model" }],
    registries: [],
    asked: { images: 0 },
    offers: [],
    ...more,
  };
}

function codeOf(right: EffectiveRight, question: Question): string {
  const decision = decide(right, question, PRESENTED);
  return decision.isAllowed ? "allowed" : decision.refusal.code;
}

const chat = (models: readonly string[] | null): RightSpec => ({ roles: [], allow: ["infer:chat"], models });

describe("the effective right is the ceiling and the live right and the environment", () => {
  test("both must cover", () => {
    expect(codeOf(rightIn({ ceiling: chat(["a"]), live: chat(["a"]) }), ask("infer:chat", "a"))).toBe("allowed");
    expect(codeOf(rightIn({ ceiling: chat(["a"]), live: chat(["b"]) }), ask("infer:chat", "a"))).toBe("model_denied");
    expect(codeOf(rightIn({ ceiling: chat(["b"]), live: chat(["a"]) }), ask("infer:chat", "a"))).toBe("model_denied");
    expect(codeOf(rightIn({ ceiling: chat(["a"]), live: null }), ask("infer:chat", "a"))).toBe("permission_denied");
    expect(codeOf(rightIn({ ceiling: chat(["a"]), live: chat(["a"]) }), ask("infer:generate", "a"))).toBe(
      "permission_denied",
    );
  });

  test("no selector is no model; permissions without a model need none", () => {
    const ceiling: RightSpec = { roles: [], allow: ["infer:chat", "models:list"], models: [] };
    const right = rightIn({ ceiling, live: { ...ceiling, models: ["*"] } });
    expect(codeOf(right, ask("infer:chat", "a"))).toBe("model_denied");
    expect(codeOf(right, ask("models:list", null))).toBe("allowed");
    expect(codeOf(rightIn({ ceiling: { ...ceiling, models: null }, live: ceiling }), ask("infer:chat", "a"))).toBe(
      "model_denied",
    );
  });

  test("a role's own selectors and the key's both bind", () => {
    const role = roleOf("r", [{ permissions: ["infer:chat"], models: ["a", "b"] }]);
    const own: RightSpec = { roles: ["r"], allow: [], models: ["b", "c"] };
    const right = rightIn({ ceiling: own, live: { roles: ["r"], allow: [], models: null }, roles: [role] });
    expect(["a", "b", "c"].map((model) => codeOf(right, ask("infer:chat", model)))).toEqual([
      "model_denied",
      "allowed",
      "model_denied",
    ]);
  });

  test("a role that is gone grants nothing", () => {
    const gone: RightSpec = { roles: ["gone"], allow: [], models: ["*"] };
    expect(codeOf(rightIn({ ceiling: gone, live: gone }), ask("infer:chat", "a"))).toBe("permission_denied");
  });

  test("a disabled owner, an unknown owner, an empty demand", () => {
    expect(codeOf(rightIn({ ceiling: chat(["a"]), live: chat(["a"]), isDisabled: true }), ask("infer:chat", "a"))).toBe(
      "owner_disabled",
    );
    expect(
      compileSnapshot({ epoch: 1, environments: [dev], roles: [], principals: [], assignments: [] }).rightOf(
        keyOf({ ceiling: chat(["a"]) }),
      )!.isOwnerDisabled,
    ).toBe(true);
    expect(
      codeOf(rightIn({ ceiling: chat(["a"]), live: chat(["a"]) }), { ...ask("infer:chat", "a"), demands: [] }),
    ).toBe("permission_denied");
  });

  test("the empty snapshot knows no right", () => {
    expect(emptySnapshot.rightOf(keyOf({ ceiling: chat(["*"]) }))).toBeUndefined();
  });

  test("cloud: closed by the environment, then by the selectors", () => {
    const both: RightSpec = {
      roles: [],
      allow: ["infer:chat", "cloud:infer", "cloud:websearch"],
      models: ["*", "cloud:a"],
    };
    const question = {
      ...ask("infer:chat", "a:cloud"),
      demands: [...ask("infer:chat", "a:cloud").demands, ...ask("cloud:infer", "a:cloud").demands],
    };
    expect(codeOf(rightIn({ ceiling: both, live: both }), question)).toBe("cloud_denied");
    expect(codeOf(rightIn({ ceiling: both, live: both }), ask("cloud:websearch", null))).toBe("cloud_denied");
    const open = rightIn({ ceiling: both, live: both, environment: { cloud: "allow" } });
    expect(codeOf(open, question)).toBe("allowed");
    expect(codeOf(open, ask("cloud:websearch", null))).toBe("allowed");
    expect(codeOf(open, ask("infer:chat", "b:cloud"))).toBe("model_denied");
    expect(isHeld(open, "infer:chat", parseModelName("a")!)).toBe(true);
    expect(maySee(open, parseModelName("b:cloud")!)).toBe(false);
  });

  test("who may only list sees what his selectors name", () => {
    const lists: RightSpec = { roles: [], allow: ["models:list"], models: ["a"] };
    const right = rightIn({ ceiling: lists, live: { ...lists, models: ["*"] } });
    expect(["a", "b", "a:cloud"].map((model) => maySee(right, parseModelName(model)!))).toEqual([true, false, false]);
    expect(maySee(rightIn({ ceiling: lists, live: null }), parseModelName("a")!)).toBe(false);
    expect(maySee(rightIn({ ceiling: { ...lists, models: [] }, live: lists }), parseModelName("a")!)).toBe(false);
  });

  test("keep_alive lies in the policy's range, and goes beyond it with the right to pin or unload", () => {
    const rangeOf = (allow: readonly DataPermission[]): unknown => {
      const spec: RightSpec = { roles: [], allow, models: ["a"] };
      const decision = decide(rightIn({ ceiling: spec, live: spec }), ask("infer:chat", "a"), PRESENTED);
      return decision.isAllowed && decision.granted.keepAlive;
    };
    expect(rangeOf(["infer:chat"])).toEqual({ minSeconds: 300, maxSeconds: 300 });
    expect(rangeOf(["infer:chat", "runtime:pin"])).toMatchObject({
      minSeconds: 300,
      maxSeconds: Number.POSITIVE_INFINITY,
    });
    expect(rangeOf(["infer:chat", "runtime:unload"])).toMatchObject({ minSeconds: 0, maxSeconds: 300 });
  });

  test("what is offered is added where it is granted, and denies nothing where it is not", () => {
    const offers = [{ permission: "cloud:websearch", model: null, field: "tools" }] as const;
    const right = rightIn({ ceiling: chat(["a"]), live: chat(["a"]) });
    const decision = decide(right, ask("infer:chat", "a", { offers }), PRESENTED);
    expect(decision).toMatchObject({ isAllowed: true, granted: { hasOffers: false } });
    expect(decision.isAllowed && decision.demands.map(({ permission }) => permission)).toEqual(["infer:chat"]);
  });

  test("registries are the environment's", () => {
    const pull: RightSpec = { roles: [], allow: ["models:pull"], models: ["*"] };
    const right = rightIn({ ceiling: pull, live: pull });
    expect(codeOf(right, ask("models:pull", "a", { registries: ["registry.ollama.ai"] }))).toBe("allowed");
    expect(codeOf(right, ask("models:pull", "h/n/a", { registries: ["h"] }))).toBe("registry_denied");
  });
});

describe("guards", () => {
  const guarded = (name: string, outputTokens: number): Role =>
    roleOf(name, [{ permissions: ["infer:chat"], models: null }], { guard: { outputTokens, images: 1 } });
  const granted = (right: EffectiveRight): number | undefined => {
    const decision = decide(right, ask("infer:chat", "a"), PRESENTED);
    return decision.isAllowed ? decision.granted.outputTokens : -1;
  };

  test("the tightest of environment, ceiling and live right; within one, the widest", () => {
    const roles = [guarded("small", 10), guarded("large", 100)];
    const of = (...names: string[]): RightSpec => ({ roles: names, allow: [], models: ["a"] });
    expect(granted(rightIn({ ceiling: of("small"), live: of("large"), roles }))).toBe(10);
    expect(granted(rightIn({ ceiling: of("small", "large"), live: of("large"), roles }))).toBe(100);
    expect(granted(rightIn({ ceiling: chat(["a"]), live: chat(["a"]), roles }))).toBeUndefined();
    expect(
      granted(rightIn({ ceiling: of("large"), live: of("large"), roles, environment: { guard: { outputTokens: 7 } } })),
    ).toBe(7);
  });

  test("more images than allowed are refused", () => {
    const roles = [guarded("small", 10)];
    const own: RightSpec = { roles: ["small"], allow: [], models: ["a"] };
    const right = rightIn({ ceiling: own, live: own, roles });
    expect(codeOf(right, ask("infer:chat", "a", { asked: { images: 1 } }))).toBe("allowed");
    expect(codeOf(right, ask("infer:chat", "a", { asked: { images: 2 } }))).toBe("permission_denied");
  });
});

describe("guards that count, and guards that are lowered", () => {
  const own: RightSpec = { roles: ["r"], allow: [], models: ["a"] };
  const rightOf = (guard: Guard, environment: Guard = {}): EffectiveRight =>
    rightIn({
      ceiling: own,
      live: own,
      roles: [roleOf("r", [{ permissions: ["infer:chat"], models: null }], { guard })],
      environment: { guard: environment },
    });

  test.each(["images", "messages", "tools", "schemaBytes"] as const)("more %s than allowed are denied", (name) => {
    const of = (count: number): Question => ask("infer:chat", "a", { asked: { images: 0, [name]: count } });
    for (const right of [rightOf({ [name]: 3 }), rightOf({ [name]: 9 }, { [name]: 3 }), rightOf({}, { [name]: 3 })])
      expect([codeOf(right, of(3)), codeOf(right, of(4))]).toEqual(["allowed", "permission_denied"]);
    expect(codeOf(rightOf({}), of(1e6))).toBe("allowed");
  });

  test("the level of thinking is the tightest, and the number of probabilities", () => {
    const granted = (right: EffectiveRight): unknown[] => {
      const decision = decide(right, ask("infer:chat", "a"), PRESENTED);
      return decision.isAllowed ? [decision.granted.think, decision.granted.topLogprobs] : [];
    };
    expect(granted(rightOf({}))).toEqual([undefined, undefined]);
    expect(granted(rightOf({ think: "high", topLogprobs: 5 }, { think: "low", topLogprobs: 9 }))).toEqual(["low", 5]);
    expect(granted(rightOf({ think: "none", topLogprobs: 0 }))).toEqual(["none", 0]);
  });
});

test("taking anything away never opens what was closed", () => {
  const permission = fc.constantFrom<DataPermission>("infer:chat", "infer:generate", "models:list");
  const spec = fc.record({
    roles: fc.constant([]),
    allow: fc.uniqueArray(permission),
    models: fc.uniqueArray(fc.constantFrom("a", "b", "*", "a:*")),
  });
  fc.assert(
    fc.property(spec, spec, permission, fc.constantFrom("a", "b", "c:x"), (ceiling, live, wanted, model) => {
      const question = ask(wanted, wanted === "models:list" ? null : model);
      if (codeOf(rightIn({ ceiling, live }), question) === "allowed") return;
      for (const narrow of [
        { ceiling: { ...ceiling, allow: ceiling.allow.slice(1) }, live },
        { ceiling, live: { ...live, models: live.models.slice(1) } },
        { ceiling: { ...ceiling, models: [] }, live },
        { ceiling, live: null },
      ]) {
        expect(codeOf(rightIn(narrow), question)).not.toBe("allowed");
      }
    }),
  );
});

test("the explanation's last sentence names the rule that decided", () => {
  const because: string[] = [];
  decide(rightIn({ ceiling: chat(["a"]), live: chat(["b"]) }), ask("infer:chat", "a"), PRESENTED, because);
  expect(because.at(0)).toContain("the key's scope grants infer:chat");
  expect(because.at(-1)).toContain("the owner's current permissions grants infer:chat, but its selectors do not match");
});
