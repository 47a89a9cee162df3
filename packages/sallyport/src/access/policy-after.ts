/** What policy is once the operations are done. A change is atomic, so each part of it is judged by all of what follows it. Pure. */
import type { Operation } from "../changes/change.ts";
import type { Assignments } from "./assignments.ts";
import type { Assignment, Environment, Role } from "./policy.ts";
import type { PolicyTables } from "./snapshot.ts";

export function environmentsAfter(
  operations: readonly Operation[],
  { environments }: Pick<PolicyTables, "environments">,
): PolicyTables["environments"] {
  const changes: [string, Environment | undefined][] = [];
  for (const operation of operations) {
    if (operation.op === "environment.put") changes.push([operation.environment.name, operation.environment]);
    if (operation.op === "environment.remove") changes.push([operation.name, undefined]);
  }
  return environments.with(changes);
}

export function rolesAfter(
  operations: readonly Operation[],
  { roles }: Pick<PolicyTables, "roles">,
): PolicyTables["roles"] {
  const changes: [string, Role | undefined][] = [];
  for (const operation of operations) {
    if (operation.op === "role.put") changes.push([operation.role.name, operation.role]);
    if (operation.op === "role.remove") changes.push([operation.name, undefined]);
  }
  return roles.with(changes);
}

export function assignmentsAfter(
  operations: readonly Operation[],
  { assignments }: Pick<PolicyTables, "assignments">,
): Assignments {
  const changes: [string, Assignment | null][] = [];
  for (const operation of operations) {
    if (operation.op === "assignment.put") changes.push([operation.assignment.id, operation.assignment]);
    if (operation.op === "assignment.remove") changes.push([operation.id, null]);
  }
  return assignments.with(changes);
}
