/**
 * R6: what is issued is a subset of the issuer's right in every dimension. Each function answers the sentences of what
 * is too much; an empty list means it is within. Pure.
 */
import { coversSelector, parseSelector } from "@sallyport/protocol";
import type { ModelSelector } from "@sallyport/protocol";
import { asScopeGuard, unheldGuards } from "./guard-bounds.ts";
import { unheldLimits } from "./limit-bounds.ts";
import type { AdminRight, Assignment, Environment, Grant, Guard, Limits, MayGrant, RightSpec, Role } from "./policy.ts";

/** True when the right administers the environment. Only `"*"` administers the reserved realm. */
export function administers(right: AdminRight, environment: string): boolean {
  return right.environments === "*" || right.environments.includes(environment);
}

/** The environments of a change that the right does not administer. */
export function excessEnvironments(right: AdminRight, environments: Iterable<string>): string[] {
  return [...new Set(environments)]
    .filter((environment) => !administers(right, environment))
    .map((environment) => `environment ${environment} is not administered by the issuer`);
}

/**
 * What a written right would give beyond may-grant: its permissions, those of its roles, and its selectors. Roles are
 * live, so a right's own selectors must be covered whatever its roles say now; where it has none, the roles' must be.
 */
export function excessRight(
  issuer: AdminRight,
  spec: RightSpec,
  roles: ReadonlyMap<string, Role>,
  bounds: readonly Bounds[],
): string[] {
  if (issuer.mayGrant === "*") return [];
  const excess = excessPermissions(issuer, spec.allow, "");
  for (const name of spec.roles) {
    const role = roles.get(name);
    if (!role) {
      excess.push(`role ${name} is not known`);
      continue;
    }
    for (const grant of role.grants) {
      excess.push(...excessPermissions(issuer, grant.permissions, ` (by role ${name})`));
      if (spec.models === null) excess.push(...excessSelectors(issuer, grant.models ?? [], ` (by role ${name})`));
    }
  }
  return unique([
    ...excess,
    ...excessSelectors(issuer, spec.models ?? [], ""),
    ...excessBounds(issuer.mayGrant, spec, roles, bounds),
  ]);
}

/** The same of a right that is assigned in an environment, whose limits and guards bind it. */
export function excessAssigned(
  issuer: AdminRight,
  { environment, right }: Pick<Assignment, "environment" | "right">,
  {
    environments,
    roles,
  }: { readonly environments: ReadonlyMap<string, Environment>; readonly roles: ReadonlyMap<string, Role> },
): string[] {
  return excessRight(issuer, right, roles, boundsIn(environment, environments));
}

/** What binds every right in the environment. */
export function boundsIn(environment: string, environments: ReadonlyMap<string, Environment>): Bounds[] {
  const found = environments.get(environment);
  return found ? [{ limits: found.limits, guard: found.guard }] : [];
}

/** Limits and guards of a right in addition to those of its roles: its environment's, its key's. */
export interface Bounds {
  readonly limits?: Limits;
  readonly guard?: Guard;
}

/**
 * Where the delegation scope has limits or guards, what is handed out must be bound as tightly: every limit of its roles,
 * key and environment binds it, but a guard of a role only what the role alone gives.
 */
function excessBounds(
  scope: MayGrant | null,
  spec: RightSpec,
  roles: ReadonlyMap<string, Role>,
  bounds: readonly Bounds[],
): string[] {
  if (scope === null || (!scope.limits && !scope.guard)) return [];
  const { limits = {}, guard = {} } = scope;
  if (spec.roles.length === 0 && spec.allow.length === 0) return [];
  const given = spec.roles.map((name) => roles.get(name)).filter((role) => role !== undefined);
  const binding = [...bounds, ...given].map((one) => one.limits ?? {});
  return [
    ...unheldLimits(limits, binding),
    ...unheldGuards(
      guard,
      bounds.map((one) => one.guard),
      given.map((role) => role.guard),
      spec.allow.length > 0,
    ),
  ];
}

/** The same for the grants of a role that is being written. A grant that names no models is bounded where it is assigned. */
export function excessGrants(issuer: AdminRight, role: string, grants: readonly Grant[]): string[] {
  return unique(
    grants.flatMap((grant) => [
      ...excessPermissions(issuer, grant.permissions, ` (in role ${role})`),
      ...excessSelectors(issuer, grant.models ?? [], ` (in role ${role})`),
    ]),
  );
}

/** What an admin right would have beyond another: for admin keys that are issued, listed or ended. */
export function excessAdminRight(issuer: AdminRight, asked: AdminRight): string[] {
  const excess = asked.permissions
    .filter((permission) => !issuer.permissions.includes(permission))
    .map((permission) => `${permission} is not held by the issuer`);
  if (asked.environments === "*") {
    if (issuer.environments !== "*") excess.push("all environments are not administered by the issuer");
  } else {
    excess.push(...excessEnvironments(issuer, asked.environments));
  }
  if (asked.mayGrant === "*") {
    if (issuer.mayGrant !== "*") excess.push("granting everything is not the issuer's to give");
  } else if (asked.mayGrant !== null) {
    excess.push(
      ...excessPermissions(issuer, asked.mayGrant.allow, ""),
      ...excessSelectors(issuer, asked.mayGrant.models, ""),
    );
    // The scope that is asked for is at least as bounded as the issuer's own.
    if (issuer.mayGrant !== "*" && asked.mayGrant.allow.length > 0) {
      const spec = { roles: [], allow: asked.mayGrant.allow, models: [] };
      const guard = asScopeGuard(asked.mayGrant.guard);
      excess.push(...excessBounds(issuer.mayGrant, spec, new Map(), [{ ...asked.mayGrant, guard }]));
    }
  }
  return unique(excess);
}

/** Nothing that is issued outlives its issuer. Times in epoch ms, null = for ever. */
export function excessLifetime(issuerExpiresAt: number | null, expiresAt: number | null): string[] {
  if (issuerExpiresAt === null || (expiresAt !== null && expiresAt <= issuerExpiresAt)) return [];
  return ["it would outlive the issuer's own key"];
}

function excessPermissions(issuer: AdminRight, asked: readonly string[], where: string): string[] {
  const { mayGrant } = issuer;
  if (mayGrant === "*") return [];
  return asked
    .filter((permission) => !mayGrant?.allow.some((held) => held === permission))
    .map((permission) => `${permission} is not the issuer's to grant${where}`);
}

function excessSelectors(issuer: AdminRight, asked: readonly string[], where: string): string[] {
  const { mayGrant } = issuer;
  if (mayGrant === "*") return [];
  const held = (mayGrant?.models ?? []).map(parseSelector).filter((selector) => selector !== undefined);
  return asked
    .filter((text) => !isCovered(held, text))
    .map((text) => `model ${text} is not the issuer's to grant${where}`);
}

function isCovered(wide: readonly ModelSelector[], text: string): boolean {
  const narrow = parseSelector(text);
  return narrow !== undefined && wide.some((selector) => coversSelector(selector, narrow));
}

function unique(sentences: readonly string[]): string[] {
  return [...new Set(sentences)];
}
