/**
 * R6 for a change of policy: the changer must administer every environment the change reaches, whether it opens or takes
 * away; what it opens is asked of the delegation scope (`admin/scope-gate.ts`). A role reaches every environment in which
 * it is assigned, before or after, or stands on a key. Pure but for the question about keys; in slices.
 */
import type { Operation } from "../changes/change.ts";
import { LongWork } from "../kernel/long-work.ts";
import { administers, excessEnvironments } from "./attenuation.ts";
import { isUnbounded } from "./holding.ts";
import type { PresentPolicy } from "./policy-plan.ts";
import type { AdminRight, Assignment } from "./policy.ts";

/** The roles that keys of the environment name which are not revoked. */
export type RolesOnKeys = (environment: string) => Promise<ReadonlySet<string>>;

/** The sentences of what is too much; empty = the right suffices. `present` must not change while the promise is pending. */
export async function excessOfChange(
  right: AdminRight,
  operations: readonly Operation[],
  present: PresentPolicy,
  rolesOnKeys: RolesOnKeys,
  work = new LongWork(),
): Promise<string[]> {
  if (isUnbounded(right)) return [];
  const reach = await reachOfRoles(right, operations, present, rolesOnKeys, work);
  const roleReach = (name: string): string[] => excessEnvironments(right, reach.get(name) ?? []);

  const excess = await work.flatMap(operations, (operation): string[] => {
    switch (operation.op) {
      case "environment.put":
        return excessEnvironments(right, [operation.environment.name]);
      case "environment.remove":
        return excessEnvironments(right, [operation.name]);
      case "assignment.put":
        return excessEnvironments(right, [operation.assignment.environment]);
      case "assignment.remove": {
        const gone = present.assignments.get(operation.id);
        return excessEnvironments(right, gone ? [gone.environment] : []);
      }
      case "role.put":
        return roleReach(operation.role.name);
      case "role.remove":
        return roleReach(operation.name);
      default:
        return [`${operation.op} is no change of policy`];
    }
  });
  return [...new Set(excess)];
}

/** Environments by the role that reaches them, of the roles that are changed. */
async function reachOfRoles(
  right: AdminRight,
  operations: readonly Operation[],
  present: PresentPolicy,
  rolesOnKeys: RolesOnKeys,
  work: LongWork,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const reach = new Map<string, Set<string>>();
  for (const operation of operations) {
    if (operation.op === "role.put") reach.set(operation.role.name, new Set());
    if (operation.op === "role.remove") reach.set(operation.name, new Set());
  }
  if (reach.size === 0) return reach;
  for (const [name, reached] of reach)
    await work.each(present.assignments.naming(name), ({ environment }) => reached.add(environment));
  await work.each(assignmentsPut(operations), ({ right: given, environment }) => {
    for (const name of given.roles) reach.get(name)?.add(environment);
  });
  for (const environment of present.environments.keys()) {
    if (administers(right, environment)) continue;
    for (const name of await rolesOnKeys(environment)) reach.get(name)?.add(environment);
  }
  return reach;
}

function assignmentsPut(operations: readonly Operation[]): Assignment[] {
  return operations.flatMap((operation) => (operation.op === "assignment.put" ? [operation.assignment] : []));
}
