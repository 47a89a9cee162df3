/** What policy is once the operations are done. A change is atomic, so each part of it is judged by all of what follows it. Pure. */
import type { Operation } from "../audit/change.ts";
import type { Environment, Role } from "./policy.ts";

export function environmentsAfter(
  operations: readonly Operation[],
  present: { readonly environments: ReadonlyMap<string, Environment> },
): ReadonlyMap<string, Environment> {
  const environments = new Map(present.environments);
  for (const operation of operations) {
    if (operation.op === "environment.put") environments.set(operation.environment.name, operation.environment);
    if (operation.op === "environment.remove") environments.delete(operation.name);
  }
  return environments;
}

export function rolesAfter(
  operations: readonly Operation[],
  present: { readonly roles: ReadonlyMap<string, Role> },
): ReadonlyMap<string, Role> {
  const roles = new Map(present.roles);
  for (const operation of operations) {
    if (operation.op === "role.put") roles.set(operation.role.name, operation.role);
    if (operation.op === "role.remove") roles.delete(operation.name);
  }
  return roles;
}
