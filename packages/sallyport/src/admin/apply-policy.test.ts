import { expect, it } from "vitest";
import type { PolicyDocument } from "../access/policy-file.ts";
import { environmentDefaults } from "../access/default-environment.ts";
import type { Assignment, Environment, PolicyState } from "../access/policy.ts";
import type { PolicyTest } from "../access/policy-tests.ts";
import { compileSnapshot } from "../access/snapshot.ts";
import type { Change } from "../changes/change.ts";
import { applyPolicyText } from "./apply-policy.ts";
import type { AdminPorts } from "./ports.ts";

const right = { roles: ["cli"], allow: [], models: null };
const written = { subject: { group: "g" }, environment: "dev", right };
const assignment = (id: string): Assignment => ({ ...written, id, source: "policy" });
const state = (epoch: number, assignments: readonly Assignment[] = []): PolicyState => ({
  epoch, environments: [], roles: [], principals: [], assignments,
}); // prettier-ignore
const file: PolicyDocument = { environments: [], roles: [], assignments: [written], tests: [] };

/** `states` come one after another: the first is there at the beginning, the next whenever a change gets its turn. */
function world(...states: readonly PolicyState[]) {
  return worldOf(file, ...states);
}

function worldOf(document: PolicyDocument, ...states: readonly PolicyState[]) {
  let at = 0;
  const changes: Change[] = [];
  let turns = 0;
  const ports = {
    clock: { now: () => 1, monotonic: () => 1 },
    snapshot: () => compileSnapshot(states[Math.min(at, states.length - 1)]!),
    listKeys: () => [],
    reviews: { get: () => undefined, all: () => [], withholding: () => undefined },
    readPolicyText: async () => ({ ok: true as const, policy: document }),
    changes: {
      inTurn: <T>(work: () => Promise<T>): Promise<T> => {
        turns++;
        // Somebody's change had the turn before.
        at++;
        return work();
      },
      change: async (change: Change) => {
        changes.push(change);
        return { epoch: 100, seq: 1 };
      },
    },
  } satisfies Partial<AdminPorts>;
  return { ports: ports as unknown as AdminPorts, changes, turns: () => turns };
}

it("a plan asks for no turn: changes go on beside it", async () => {
  const { ports, turns } = world(state(1));
  const { changes } = await applyPolicyText(ports, "", "gateway", { dryRun: true });
  expect(changes).toHaveLength(1);
  expect(turns()).toBe(0);
});

it("what was planned is written in a turn, on the policy it was planned on", async () => {
  const { ports, changes, turns } = world(state(1), state(1));
  await applyPolicyText(ports, "", "gateway", { dryRun: false });
  expect(turns()).toBe(1);
  expect(changes).toMatchObject([{ expectEpoch: 1, operations: [{ op: "assignment.put" }] }]);
});

it("a policy that has changed meanwhile is planned again: nothing is written by an old plan", async () => {
  const { ports, changes, turns } = world(state(1), state(2, [assignment("a"), assignment("b")]), state(2, [assignment("a"), assignment("b")])); // prettier-ignore
  await applyPolicyText(ports, "", "gateway", { dryRun: false });
  expect(turns()).toBe(2);
  expect(changes).toMatchObject([{ expectEpoch: 2, operations: [{ op: "assignment.remove", id: "b" }] }]);
});

it("and where policy changes all the time, at last with the others waiting", async () => {
  const { ports, changes, turns } = world(...Array.from({ length: 9 }, (_, n) => state(n)));
  await applyPolicyText(ports, "", "gateway", { dryRun: false });
  expect(turns()).toBe(4);
  expect(changes).toMatchObject([{ expectEpoch: 4 }]);
});

it("a plan that somebody has seen is not made again on another policy", async () => {
  const { ports, changes } = world(state(1), state(2));
  const applied = applyPolicyText(ports, "", "gateway", { dryRun: false, expectEpoch: 1 });
  await expect(applied).rejects.toMatchObject({ code: "conflict" });
  expect(changes).toEqual([]);
});

it.each([true, false])("a test of the policy that fails rejects the file, as a whole (dry run: %s)", async (dryRun) => {
  const dev = { ...environmentDefaults, name: "dev", upstreams: [] } as unknown as Environment;
  const failing: PolicyTest = {
    place: "tests[0]", group: "g", right: { roles: [], allow: [], models: null }, environment: "dev",
    may: [], mayNot: [{ permission: "models:list", model: null }],
  }; // prettier-ignore
  const { ports, changes } = worldOf({ ...file, environments: [dev], tests: [failing] }, state(1), state(1));
  const denied = await applyPolicyText(ports, "", "gateway", { dryRun }).catch((problem: unknown) => problem);
  expect(denied).toMatchObject({ code: "input_invalid", mistakes: [expect.stringContaining("by role cli")] });
  expect(changes).toEqual([]);
});
