import { describe, expect, it } from "vitest";
import { principalOf } from "../../../../test/builders.ts";
import type { Operation } from "../changes/change.ts";
import { readPolicy } from "./policy-file.ts";
import type { PolicyDocument } from "./policy-file.ts";
import { planPolicy } from "./policy-plan.ts";
import type { PolicyPlan } from "./policy-plan.ts";
import type { Assignment, PolicyState } from "./policy.ts";
import { compileSnapshot } from "./snapshot.ts";

const anna = principalOf("p_anna", { name: "anna" });
const empty: PolicyState = { epoch: 1, environments: [], roles: [], principals: [anna], assignments: [] };

const document = {
  environments: {
    dev: { upstreams: [{ url: "http://127.0.0.1:11434" }] },
    prod: { upstreams: [], keys: { maxAge: "90d" } },
  },
  roles: { bot: { allow: [{ do: ["infer:chat"], on: ["llama3.2"] }] } },
  assign: [
    { group: "ml", role: "bot", in: ["dev", "prod"] },
    { principal: "anna", role: "cli", in: ["dev"] },
  ],
};

function policy(value: unknown): PolicyDocument {
  const read = readPolicy(value);
  if (!read.ok) throw new Error(JSON.stringify(read.mistakes));
  return read.policy;
}

function plan(state: PolicyState, value: unknown, withKeys: readonly string[] = []): PolicyPlan {
  let made = 0;
  return planPolicy(compileSnapshot(state), policy(value), {
    hasUnrevokedKeys: (environment) => withKeys.includes(environment),
    newId: () => `a_${++made}`,
  });
}

/** What the store would hold afterwards. */
function applied(state: PolicyState, operations: readonly Operation[]): PolicyState {
  const environments = new Map(state.environments.map((one) => [one.name, one]));
  const roles = new Map(state.roles.map((one) => [one.name, one]));
  const assignments = new Map(state.assignments.map((one) => [one.id, one]));
  for (const operation of operations) {
    if (operation.op === "environment.put") environments.set(operation.environment.name, operation.environment);
    if (operation.op === "environment.remove") environments.delete(operation.name);
    if (operation.op === "role.put") roles.set(operation.role.name, operation.role);
    if (operation.op === "role.remove") roles.delete(operation.name);
    if (operation.op === "assignment.put") assignments.set(operation.assignment.id, operation.assignment);
    if (operation.op === "assignment.remove") assignments.delete(operation.id);
  }
  return {
    ...state,
    environments: [...environments.values()],
    roles: [...roles.values()],
    assignments: [...assignments.values()],
  };
}

const full = applied(empty, plan(empty, document).operations);

describe("planPolicy", () => {
  it("makes everything on an empty state, one line an operation", () => {
    const made = plan(empty, document);
    expect(made.mistakes).toEqual([]);
    expect(made.changes).toHaveLength(made.operations.length);
    expect(made.changes).toEqual([
      "+ environment dev: upstreams u1=http://127.0.0.1:11434; keys.maxAge 90d; cloud deny; registries registry.ollama.ai; keepAliveMax 5m",
      "+ environment prod: keys.maxAge 90d; cloud deny; registries registry.ollama.ai; keepAliveMax 5m",
      "+ role bot: allow infer:chat on llama3.2",
      "+ assign group ml: role bot in dev",
      "+ assign group ml: role bot in prod",
      "+ assign anna: role cli in dev",
    ]);
    expect(full.assignments.map(({ subject }) => subject)).toContainEqual({ principal: "p_anna" });
  });

  it("is empty when nothing changes, whatever the order of the file", () => {
    expect(plan(full, document)).toEqual({ changes: [], operations: [], mistakes: [] });
    expect(plan(full, { ...document, assign: document.assign.toReversed() }).operations).toEqual([]);
  });

  it("says what of an environment or role changes", () => {
    const changed = structuredClone(document) as typeof document & { roles: { bot: { limits?: object } } };
    changed.environments.prod.keys.maxAge = "30d";
    changed.roles.bot.limits = { requests: "60/min" };
    expect(plan(full, changed).changes).toEqual([
      "~ environment prod: keys.maxAge 90d -> 30d",
      "~ role bot: limits none -> requests=60/min",
    ]);
  });

  it("takes away what the file does not name, assignments first and environments last", () => {
    const less = plan(full, { environments: { dev: document.environments.dev } });
    expect(less.operations.map(({ op }) => op)).toEqual([
      "assignment.remove",
      "assignment.remove",
      "assignment.remove",
      "role.remove",
      "environment.remove",
    ]);
    expect(applied(full, less.operations)).toMatchObject({
      roles: [],
      assignments: [],
      environments: [{ name: "dev" }],
    });
  });

  it("leaves assignments of administrators, but in an environment that goes", () => {
    const byHand = (environment: string): Assignment => ({
      id: `hand-${environment}`,
      subject: { principal: anna.id },
      environment,
      right: { roles: ["cli"], allow: [], models: null },
      source: "admin",
    });
    const state = { ...full, assignments: [byHand("dev"), byHand("prod")] };
    const less = plan(state, { environments: { dev: document.environments.dev } });
    expect(less.operations.filter(({ op }) => op === "assignment.remove")).toEqual([
      { op: "assignment.remove", id: "hand-prod" },
    ]);
  });

  it("does not remove an environment that still has keys", () => {
    const less = plan(full, { environments: { dev: document.environments.dev } }, ["prod"]);
    expect(less.mistakes).toEqual([expect.stringContaining("environments.prod")]);
  });

  it("refuses principals that are not there or not one", () => {
    const twin = { ...full, principals: [anna, { ...anna, id: "p_other" }] };
    expect(plan({ ...full, principals: [] }, document).mistakes).toEqual([expect.stringContaining("anna")]);
    expect(plan(twin, document).mistakes).toEqual([expect.stringContaining("use the id")]);
  });
});
