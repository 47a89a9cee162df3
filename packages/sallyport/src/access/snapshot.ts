/**
 * The immutable, compiled view of all policy. It is swapped whole: a request sees one snapshot from its decision on.
 * The empty snapshot knows no environment and so refuses everything.
 */
import type { KeyRecord } from "../keys/key.ts";
import { builtInRoles } from "./built-in-roles.ts";
import { compileRight } from "./compiled-grant.ts";
import type { CompiledGrant } from "./compiled-grant.ts";
import type { Assignment, Environment, Limits, PolicyState, Principal, Role } from "./policy.ts";

/** What a key may do now: its ceiling and its owner's live right, both of which must cover a demand, in one environment. */
export interface EffectiveRight {
  readonly environment: Environment;
  readonly ceiling: readonly CompiledGrant[];
  readonly live: readonly CompiledGrant[];
  readonly isOwnerDisabled: boolean;
  /** Every limit that binds the key, with where it was written. */
  readonly limits: readonly { readonly origin: string; readonly limits: Limits }[];
}

export interface Snapshot {
  readonly epoch: number;
  readonly environments: ReadonlyMap<string, Environment>;
  readonly roles: ReadonlyMap<string, Role>;
  readonly principals: ReadonlyMap<string, Principal>;
  readonly assignments: readonly Assignment[];
  /** Undefined where the key's environment does not exist (any more). Computed once per key and snapshot. */
  rightOf(key: KeyRecord): EffectiveRight | undefined;
}

export function compileSnapshot(state: PolicyState): Snapshot {
  const environments = new Map(state.environments.map((environment) => [environment.name, environment]));
  const roles = new Map([...state.roles, ...builtInRoles].map((role) => [role.name, role]));
  const principals = new Map(state.principals.map((principal) => [principal.id, principal]));
  const byPrincipal = new Map<string, Assignment[]>();
  const byGroup = new Map<string, Assignment[]>();
  for (const assignment of state.assignments) {
    const [index, subject] =
      "principal" in assignment.subject
        ? [byPrincipal, assignment.subject.principal]
        : [byGroup, assignment.subject.group];
    const list = index.get(subject);
    if (list) list.push(assignment);
    else index.set(subject, [assignment]);
  }
  const rights = new WeakMap<KeyRecord, EffectiveRight>();

  function computeRight(key: KeyRecord): EffectiveRight | undefined {
    const environment = environments.get(key.environment);
    if (!environment) return undefined;
    const owner = key.owner === null ? undefined : principals.get(key.owner);
    const isOwnerDisabled = !owner || owner.isDisabled;
    const assignments = isOwnerDisabled
      ? []
      : [...(byPrincipal.get(owner.id) ?? []), ...owner.groups.flatMap((group) => byGroup.get(group) ?? [])].filter(
          (assignment) => assignment.environment === key.environment,
        );
    const roleNames = new Set([...key.ceiling.roles, ...assignments.flatMap((assignment) => assignment.right.roles)]);
    const limits = [
      { origin: `environment ${environment.name}`, limits: environment.limits },
      { origin: `key ${key.id}`, limits: key.limits },
      ...[...roleNames].flatMap((name) => {
        const role = roles.get(name);
        return role ? [{ origin: `role ${name}`, limits: role.limits }] : [];
      }),
    ].filter((row) => row.limits.requests !== undefined || row.limits.concurrency !== undefined);
    return {
      environment,
      // A ceiling always narrows to its own selectors: none written means no model (DESIGN 2).
      ceiling: compileRight({ ...key.ceiling, models: key.ceiling.models ?? [] }, roles),
      live: assignments.flatMap((assignment) => compileRight(assignment.right, roles)),
      isOwnerDisabled,
      limits,
    };
  }

  return {
    epoch: state.epoch,
    environments,
    roles,
    principals,
    assignments: state.assignments,
    rightOf(key) {
      const held = rights.get(key);
      if (held) return held;
      const right = computeRight(key);
      if (right) rights.set(key, right);
      return right;
    },
  };
}

/** Knows nothing and refuses everything. */
export const emptySnapshot: Snapshot = compileSnapshot({
  epoch: 0,
  environments: [],
  roles: [],
  principals: [],
  assignments: [],
});
