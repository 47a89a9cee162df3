import { expect, it } from "vitest";
import { roleOf } from "../../../../test/builders.ts";
import { builtInRoles } from "./built-in-roles.ts";
import { lostRight } from "./lost-right.ts";
import { Assignments } from "./assignments.ts";
import { newPrincipal } from "./new-principal.ts";
import type { Assignment, RightSpec } from "./policy.ts";

const roles = new Map(
  [...builtInRoles, roleOf("bot", [{ permissions: ["infer:chat"], models: ["llama3.2"] }])].map((role) => [
    role.name,
    role,
  ]),
);
const right = (more: Partial<RightSpec>): RightSpec => ({ roles: [], allow: [], models: null, ...more });
const given = (id: string, group: string, more: Partial<RightSpec>, environment = "dev"): Assignment => ({
  id,
  subject: { group },
  environment,
  right: right(more),
  source: "admin",
});
const before = newPrincipal({ kind: "person", name: "ada", groups: ["team", "all"], createdAt: 0 });
const after = { ...before, groups: ["all"] };

function lost(ceiling: Partial<RightSpec>, assignments: readonly Assignment[]): readonly string[] {
  const key = { environment: "dev", ceiling: right({ models: [], ...ceiling }) };
  return lostRight({ assignments: Assignments.of(assignments), environments: new Map(), roles }, key, {
    before,
    after,
  });
}

it.each([
  [
    "a role the key names",
    { roles: ["bot"], models: ["llama3.2"] },
    [given("1", "team", { roles: ["bot"] })],
    ["role bot", "infer:chat"],
  ],
  [
    "a role it does not name, but uses",
    { allow: ["infer:chat"], models: ["llama3.2"] },
    [given("1", "team", { roles: ["bot"] })],
    ["infer:chat"],
  ],
  [
    "a role it has nothing of",
    { allow: ["infer:embed"], models: ["llama3.2"] },
    [given("1", "team", { roles: ["bot"] })],
    [],
  ],
  [
    "a role on other models",
    { allow: ["infer:chat"], models: ["qwen3"] },
    [given("1", "team", { roles: ["bot"] })],
    [],
  ],
  [
    "what another group still gives",
    { roles: ["bot"], models: ["llama3.2"] },
    [given("1", "team", { roles: ["bot"] }), given("2", "all", { roles: ["bot"] })],
    [],
  ],
  [
    "what another group gives wider",
    { allow: ["infer:chat"], models: ["llama3.2"] },
    [given("1", "team", { roles: ["bot"] }), given("2", "all", { allow: ["infer:chat"], models: ["*"] })],
    [],
  ],
  [
    "what another group gives in part",
    { allow: ["infer:chat"], models: ["*"] },
    [given("1", "team", { allow: ["infer:chat"], models: ["*"] }), given("2", "all", { roles: ["bot"] })],
    ["infer:chat"],
  ],
  ["a listing", { allow: ["models:list"] }, [given("1", "team", { allow: ["models:list"] })], ["models:list"]],
  [
    "a right of another environment",
    { roles: ["bot"], models: ["llama3.2"] },
    [given("1", "team", { roles: ["bot"] }, "prod")],
    [],
  ],
  [
    "a wildcard that crosses another",
    { allow: ["infer:chat"], models: ["llama3.2:*"] },
    [given("1", "team", { allow: ["infer:chat"], models: ["library/*"] })],
    ["infer:chat"],
  ],
] as const)("losing %s", (_what, ceiling, assignments, expected) => {
  expect(lost(ceiling, assignments)).toEqual(expected);
});

it("an assignment that goes is lost to who stays in the group", () => {
  const assignments = Assignments.of([given("1", "team", { roles: ["bot"] })]);
  const key = { environment: "dev", ceiling: right({ roles: ["bot"], models: ["llama3.2"] }) };
  expect(lostRight({ assignments, environments: new Map(), roles }, key, { before, after: before, gone: "1" })).toEqual(
    ["role bot", "infer:chat"],
  );
  expect(lostRight({ assignments, environments: new Map(), roles }, key, { before, after: before })).toEqual([]);
});
