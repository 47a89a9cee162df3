/**
 * Tests that a policy file carries: who must be allowed, and who must be denied. They are decided by `decide()` on the
 * policy as it would be after the change. Access conditions are assumed to be met, so a test judges grants alone. Pure, in
 * slices.
 */
import { parseModelName } from "@sallyport/protocol";
import type { DataPermission } from "@sallyport/protocol";
import type { Operation } from "../changes/change.ts";
import type { LongWork } from "../kernel/long-work.ts";
import { compileRight } from "./compiled-grant.ts";
import type { CompiledGrant } from "./compiled-grant.ts";
import { decide } from "./decide.ts";
import { assignmentsAfter, environmentsAfter, rolesAfter } from "./policy-after.ts";
import type { Environment, RightSpec } from "./policy.ts";
import type { EffectiveRight, PolicyTables } from "./snapshot.ts";

/** One thing that a test demands. */
export interface TestedDemand {
  readonly permission: DataPermission;
  /** Name of a model; null for permissions that need none. */
  readonly model: string | null;
}

export interface PolicyTest {
  /** Where it is in the file: `tests[2]`. */
  readonly place: string;
  /** Everything that the group is assigned; null = no group. */
  readonly group: string | null;
  /** Roles and permissions as a key would have them. */
  readonly right: RightSpec;
  readonly environment: string;
  readonly may: readonly TestedDemand[];
  readonly mayNot: readonly TestedDemand[];
}

type TestedPolicy = Pick<PolicyTables, "environments" | "roles" | "assignments">;

/** One line for each demand that is not decided as the file says, with the rule that decided it. Empty = all tests pass. */
export async function failedPolicyTests(
  tests: readonly PolicyTest[],
  present: TestedPolicy,
  operations: readonly Operation[],
  work: LongWork,
): Promise<string[]> {
  if (tests.length === 0) return [];
  const environments = environmentsAfter(operations, present);
  const roles = rolesAfter(operations, present);
  const assignments = assignmentsAfter(operations, present);
  const failures: string[] = [];
  for (const test of tests) {
    const environment = environments.get(test.environment);
    if (!environment) {
      failures.push(`${test.place}: there is no environment ${test.environment}`);
      continue;
    }
    const assigned = test.group === null ? [] : assignments.ofGroup(test.group);
    const ofGroup = assigned
      .filter((one) => one.environment === environment.name)
      .flatMap((one) => compileRight(one.right, roles));
    const right = testedRight(environment, [...ofGroup, ...compileRight(test.right, roles)]);
    await work.each(test.may, (demand) => failures.push(...failureOf(test, right, demand, true)));
    await work.each(test.mayNot, (demand) => failures.push(...failureOf(test, right, demand, false)));
  }
  return failures;
}

/** The grants as both the key's scope and the owner's permissions, without access conditions. */
function testedRight(environment: Environment, grants: readonly CompiledGrant[]): EffectiveRight {
  const open = grants.map((grant) => ({ ...grant, door: null }));
  return {
    environment: { ...environment, requireFor: [] },
    ceiling: open,
    live: open,
    token: null,
    isOwnerDisabled: false,
    team: null,
    share: NO_SHARE,
    doors: [],
    limits: [],
  };
}

/** `decide()` does not look at shares. */
const NO_SHARE: EffectiveRight["share"] = {
  teamWeight: 1,
  principalWeight: 1,
  keyWeight: 1,
  priority: "interactive",
  maxServiceMs: null,
};
const EVERYTHING_PRESENTED = { address: "", isSigned: true, isIdentified: true };

function failureOf(test: PolicyTest, right: EffectiveRight, demand: TestedDemand, isWanted: boolean): string[] {
  const { permission, model } = demand;
  const because: string[] = [];
  const field = `${test.place}.${isWanted ? "may" : "mayNot"}`;
  const named = model === null ? null : (parseModelName(model) ?? null);
  const question = {
    demands: [{ permission, model: named, field }],
    offers: [],
    registries: [],
    asked: { images: 0 },
  };
  const { isAllowed } = decide(right, question, EVERYTHING_PRESENTED, because);
  if (isAllowed === isWanted) return [];
  const what = model === null ? permission : `${permission} on ${model}`;
  const found = isAllowed ? "is allowed and must be denied" : "is denied and must be allowed";
  // Scope and permissions are the same here, so the first rule that was asked is the one that decides.
  return [`${test.place}: ${what} ${found} for ${subjectOf(test)} in ${right.environment.name}: ${because[0] ?? ""}`];
}

function subjectOf({ group, right }: PolicyTest): string {
  return [
    ...(group === null ? [] : [`group ${group}`]),
    ...right.roles.map((role) => `role ${role}`),
    ...(right.allow.length === 0 ? [] : [`allow ${right.allow.join(", ")}`]),
  ].join(" with ");
}
