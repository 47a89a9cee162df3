/**
 * R6 for a change of policy: the changer must administer every environment the change reaches, whether it opens or takes
 * away; what it opens is asked of the delegation scope (`admin/scope-gate.ts`). A role reaches every environment in which
 * it is assigned, before or after, or stands on a key. Pure but for the question about keys.
 */
import type { Operation } from "../changes/change.ts";
import { administers, excessEnvironments } from "./attenuation.ts";
import { isUnbounded } from "./holding.ts";
import { assignmentsAfter } from "./policy-after.ts";
import type { PresentPolicy } from "./policy-plan.ts";
import type { AdminRight } from "./policy.ts";

/** True when a key of the environment that is not revoked names the role. */
export type HasKeyOfRole = (environment: string, role: string) => boolean;

/** The sentences of what is too much; empty = the right suffices. */
export function excessOfChange(
  right: AdminRight,
  operations: readonly Operation[],
  present: PresentPolicy,
  hasKeyOfRole: HasKeyOfRole,
): string[] {
  if (isUnbounded(right)) return [];
  const assignments = assignmentsAfter(operations, present);

  function roleReach(name: string): string[] {
    const assigned = [...present.assignments.naming(name), ...assignments.naming(name)].map(
      ({ environment }) => environment,
    );
    const onKeys = [...present.environments.keys()].filter(
      (environment) => !administers(right, environment) && hasKeyOfRole(environment, name),
    );
    return excessEnvironments(right, [...assigned, ...onKeys]);
  }

  const excess = operations.flatMap((operation): string[] => {
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
