import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { principalOf } from "../../../../test/builders.ts";
import type { Operation } from "../changes/change.ts";
import { LongWork, ThreadLine } from "../kernel/long-work.ts";
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

async function plan(state: PolicyState, value: unknown, withKeys: readonly string[] = []): Promise<PolicyPlan> {
  let made = 0;
  return planPolicy(compileSnapshot(state), policy(value), {
    hasUnrevokedKeys: async (environment) => withKeys.includes(environment),
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

const full = applied(empty, (await plan(empty, document)).operations);

describe("planPolicy", () => {
  it("makes everything on an empty state, one line an operation", async () => {
    const made = await plan(empty, document);
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

  it("is empty when nothing changes, whatever the order of the file", async () => {
    expect(await plan(full, document)).toEqual({ changes: [], operations: [], mistakes: [] });
    expect((await plan(full, { ...document, assign: document.assign.toReversed() })).operations).toEqual([]);
  });

  it("says what of an environment or role changes", async () => {
    const changed = structuredClone(document) as typeof document & { roles: { bot: { limits?: object } } };
    changed.environments.prod.keys.maxAge = "30d";
    changed.roles.bot.limits = { requests: "60/min" };
    expect((await plan(full, changed)).changes).toEqual([
      "~ environment prod: keys.maxAge 90d -> 30d",
      "~ role bot: limits none -> requests=60/min",
    ]);
  });

  it("takes away what the file does not name, assignments first and environments last", async () => {
    const less = await plan(full, { environments: { dev: document.environments.dev } });
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

  it("leaves assignments of administrators, but in an environment that goes", async () => {
    const byHand = (environment: string): Assignment => ({
      id: `hand-${environment}`,
      subject: { principal: anna.id },
      environment,
      right: { roles: ["cli"], allow: [], models: null },
      source: "admin",
    });
    const state = { ...full, assignments: [byHand("dev"), byHand("prod")] };
    const less = await plan(state, { environments: { dev: document.environments.dev } });
    expect(less.operations.filter(({ op }) => op === "assignment.remove")).toEqual([
      { op: "assignment.remove", id: "hand-prod" },
    ]);
  });

  it("does not remove an environment that still has keys", async () => {
    const less = await plan(full, { environments: { dev: document.environments.dev } }, ["prod"]);
    expect(less.mistakes).toEqual([expect.stringContaining("environments.prod")]);
  });

  it("refuses principals that are not there or not one", async () => {
    const twin = { ...full, principals: [anna, { ...anna, id: "p_other" }] };
    expect((await plan({ ...full, principals: [] }, document)).mistakes).toEqual([expect.stringContaining("anna")]);
    expect((await plan(twin, document)).mistakes).toEqual([expect.stringContaining("use the id")]);
  });
});

/** How it was said before there were indexes: each looks at all the others. */
function naivePlan(held: readonly Assignment[], wanted: readonly Assignment[]): { kept: string[]; made: string[] } {
  const text = ({ subject, environment, right }: Assignment): string =>
    JSON.stringify([
      subject,
      environment,
      [...new Set(right.roles)].toSorted(),
      [...new Set(right.allow)].toSorted(),
      right.models && [...new Set(right.models)].toSorted(),
    ]);
  const kept: string[] = [];
  const made: string[] = [];
  for (const one of wanted) {
    const same = held.find(({ id, ...rest }) => !kept.includes(id) && text({ id, ...rest }) === text(one));
    if (same) kept.push(same.id);
    else if (!made.includes(text(one))) made.push(text(one));
  }
  return { kept: kept.toSorted(), made: made.toSorted() };
}

it("matches assignments as a look at each pair would, with repetitions, in any order", async () => {
  const name = fc.constantFrom("a", "b", "c");
  const right = fc.record({
    roles: fc.array(fc.constantFrom("x", "y"), { maxLength: 3 }),
    allow: fc.array(fc.constantFrom("infer:chat" as const, "infer:embed" as const), { maxLength: 2 }),
    models: fc.option(fc.array(fc.constantFrom("m", "n"), { maxLength: 2 })),
  });
  const assignment = fc
    .record({ isGroup: fc.boolean(), name, environment: fc.constantFrom("dev", "prod"), right })
    .map(({ isGroup, name: who, ...rest }) => ({ subject: isGroup ? { group: who } : { principal: who }, ...rest }));
  const list = fc.array(assignment, { maxLength: 12 });
  const principals = ["a", "b", "c"].map((id) => ({ ...anna, id, name: `person ${id}` }));
  await fc.assert(
    fc.asyncProperty(list, list, async (had, asked) => {
      const held = had.map((one, at): Assignment => ({ ...one, id: `h${at}`, source: "policy" }));
      const wanted = asked.map((one): Assignment => ({ ...one, id: "", source: "policy" }));
      const file = { environments: [], roles: [], assignments: asked, tests: [] };
      const { operations } = await planPolicy(compileSnapshot({ ...empty, principals, assignments: held }), file, {
        hasUnrevokedKeys: async () => false,
        newId: () => "new",
      });
      const removed = new Set(operations.flatMap((one) => (one.op === "assignment.remove" ? [one.id] : [])));
      const naive = naivePlan(held, wanted);
      expect(held.filter(({ id }) => !removed.has(id)).map(({ id }) => id).toSorted()).toEqual(naive.kept); // prettier-ignore
      const made = operations.flatMap((one) => (one.op === "assignment.put" ? [one.assignment] : []));
      expect(made).toHaveLength(naive.made.length);
    }),
  );
});

it("looks at each principal and assignment a fixed number of times, and in slices", async () => {
  const count = 2_000;
  const principals = Array.from({ length: count }, (_, n) => ({ ...anna, id: `p${n}`, name: `person ${n}` }));
  const rights = { roles: ["bot"], allow: [], models: null };
  const held = principals.map(({ id }, n): Assignment => ({
    id: `a${n}`, subject: { principal: id }, environment: "dev", right: rights, source: "policy",
  })); // prettier-ignore
  const assignments = principals.map(({ name }) => ({
    subject: { principal: name },
    environment: "dev",
    right: rights,
  }));
  let asked = 0;
  const rests: (() => void)[] = [];
  // Each look at the clock is a look at one thing; a slice is three of its milliseconds.
  const work = new LongWork({ monotonic: () => ++asked / 100 }, new ThreadLine((next) => void rests.push(next)));
  let isDone = false;
  const planned = planPolicy(
    compileSnapshot({ ...empty, principals, assignments: held }),
    { environments: [], roles: [], assignments, tests: [] },
    { hasUnrevokedKeys: async () => false, newId: () => "new" },
    work,
  ).finally(() => (isDone = true));
  let rounds = 0;
  for (; !isDone; rounds++) {
    for (const next of rests.splice(0)) next();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect((await planned).operations).toEqual([]);
  // Five looks at a list as long as this one, and each of them asks whether its slice is over.
  expect(asked).toBeGreaterThanOrEqual(5 * count);
  expect(asked).toBeLessThan(6 * count);
  expect(rounds).toBeGreaterThan(10);
});
