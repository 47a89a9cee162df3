/**
 * R6: what is issued is a subset of the issuer's right in every dimension. Each function answers the sentences of what
 * is too much; an empty list means it is within. Pure.
 */
import { coversSelector, parseSelector } from "@sallyport/protocol";
import type { ModelSelector } from "@sallyport/protocol";
import type { AdminRight, Grant, RightSpec, Role } from "./policy.ts";

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
export function excessRight(issuer: AdminRight, spec: RightSpec, roles: ReadonlyMap<string, Role>): string[] {
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
  return unique([...excess, ...excessSelectors(issuer, spec.models ?? [], "")]);
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
