/** The stored records as the contract shows them. What is not named here does not leave: no hash, no pepper. */
import type {
  AdminKeyView,
  AssignmentView,
  EnvironmentView,
  KeyView,
  PrincipalView,
  RoleView,
  UpstreamView,
} from "@sallyport/protocol/contract";
import { formatDurationMs, formatRate } from "@sallyport/protocol/contract";
import { isBuiltInRole } from "../access/built-in-roles.ts";
import type { Assignment, Environment, Limits, Principal, Role } from "../access/policy.ts";
import type { KeyRecord } from "../keys/key.ts";

export function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

export function viewKey(key: KeyRecord, now: number): KeyView {
  return {
    id: key.id,
    environment: key.environment,
    name: key.name,
    owner: key.owner,
    state: key.state,
    isExpired: isExpired(key, now),
    roles: [...key.ceiling.roles],
    allow: [...key.ceiling.allow],
    models: [...(key.ceiling.models ?? [])],
    limits: viewLimits(key.limits),
    createdAt: isoTime(key.createdAt),
    expiresAt: key.expiresAt === null ? null : isoTime(key.expiresAt),
    createdBy: key.createdBy,
  };
}

export function viewAdminKey(key: KeyRecord, now: number): AdminKeyView {
  const right = key.admin ?? { permissions: [], environments: [], mayGrant: null };
  const { mayGrant } = right;
  return {
    id: key.id,
    name: key.name,
    state: key.state,
    isExpired: isExpired(key, now),
    permissions: [...right.permissions],
    environments: right.environments === "*" ? "*" : [...right.environments],
    mayGrant:
      mayGrant === "*" || mayGrant === null ? mayGrant : { allow: [...mayGrant.allow], models: [...mayGrant.models] },
    createdAt: isoTime(key.createdAt),
    expiresAt: key.expiresAt === null ? null : isoTime(key.expiresAt),
    createdBy: key.createdBy,
  };
}

export function viewPrincipal(principal: Principal): PrincipalView {
  return { ...principal, groups: [...principal.groups], createdAt: isoTime(principal.createdAt) };
}

export function viewAssignment(assignment: Assignment): AssignmentView {
  const { id, subject, environment, right, source } = assignment;
  return {
    id,
    subject,
    environment,
    roles: [...right.roles],
    allow: [...right.allow],
    models: right.models === null ? null : [...right.models],
    source,
  };
}

export function viewRole(role: Role): RoleView {
  return {
    name: role.name,
    isBuiltIn: isBuiltInRole(role.name),
    allow: role.grants.map((grant) => ({
      do: [...grant.permissions],
      on: grant.models === null ? null : [...grant.models],
    })),
    limits: viewLimits(role.limits),
    guard: role.guard,
  };
}

export function viewUpstreams(environment: Environment): UpstreamView[] {
  return environment.upstreams.map((upstream) => ({ environment: environment.name, ...upstream }));
}

export function viewEnvironment(environment: Environment): EnvironmentView {
  return {
    name: environment.name,
    upstreams: viewUpstreams(environment),
    keyMaxAge: formatDurationMs(environment.keyMaxAgeMs),
    cloud: environment.cloud,
    registries: [...environment.registries],
    keepAliveMax: formatDurationMs(environment.keepAliveMaxSeconds * 1_000),
    limits: viewLimits(environment.limits),
    guard: environment.guard,
  };
}

function viewLimits(limits: Limits): KeyView["limits"] {
  return {
    ...(limits.requests ? { requests: formatRate(limits.requests) } : {}),
    ...(limits.concurrency === undefined ? {} : { concurrency: limits.concurrency }),
  };
}

function isExpired(key: KeyRecord, now: number): boolean {
  return key.expiresAt !== null && key.expiresAt <= now;
}
