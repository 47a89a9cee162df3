/** The stored records as the contract shows them. What is not named here does not leave: no hash, no pepper. */
import type {
  AdminKeyView,
  AssignmentView,
  EnvironmentView,
  KeyInFull,
  KeyView,
  PrincipalView,
  RoleView,
  UpstreamView,
} from "@sallyport/contract";
import { formatDurationMs } from "@sallyport/contract";
import { isBuiltInRole } from "../access/built-in-roles.ts";
import { viewLimits } from "../access/limits-text.ts";
import type { Assignment, Environment, EnvironmentQuotas, KeyLife, Principal, Role } from "../access/policy.ts";
import type { LocalLoginState } from "../identity/local/local-login.ts";
import { expiryOf } from "../keys/key.ts";
import type { KeyRecord } from "../keys/key.ts";
import type { WorkloadTrust } from "../tokens/workload-trust.ts";
import type { KeyUse } from "../keys/use-record.ts";

export function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

/** The key with its secrets and who uses which; `uses` as the record of uses knows them. */
export function viewKeyInFull(key: KeyRecord, uses: readonly KeyUse[], now: number): KeyInFull {
  const last = (generation: number): number =>
    Math.max(0, ...uses.filter((use) => use.generation === generation).map((use) => use.usedAt));
  const lastUsedAt = Math.max(0, ...uses.map((use) => use.usedAt));
  return {
    ...viewKey(key, now),
    lastUsedAt: lastUsedAt === 0 ? null : isoTime(lastUsedAt),
    isFrozen: key.frozenAt !== null,
    boundary:
      key.boundary?.map(({ permissions, models }) => ({
        permissions: [...permissions],
        models: models && [...models],
      })) ?? null,
    secrets: key.secrets.map(({ generation, state, createdAt, expiresAt, endsAt }) => ({
      generation,
      state,
      createdAt: isoTime(createdAt),
      expiresAt: expiresAt === null ? null : isoTime(expiresAt),
      endsAt: endsAt === null ? null : isoTime(endsAt),
      lastUsedAt: last(generation) === 0 ? null : isoTime(last(generation)),
      instances: uses
        .filter((use) => use.generation === generation && use.address !== "")
        .map(({ address, agent, usedAt }) => ({ address, agent, usedAt: isoTime(usedAt) })),
    })),
  };
}

export function viewKey(key: KeyRecord, now: number): KeyView {
  return {
    id: key.id,
    environment: key.environment,
    name: key.name,
    owner: key.owner,
    state: key.state,
    reason: key.reason,
    isExpired: isExpired(key, now),
    roles: [...key.ceiling.roles],
    allow: [...key.ceiling.allow],
    models: [...(key.ceiling.models ?? [])],
    limits: viewLimits(key.limits),
    createdAt: isoTime(key.createdAt),
    expiresAt: expiryText(key),
    createdBy: key.createdBy,
    ...viewDoor(key),
    binding: key.binding,
    signers: key.signers.map(({ id, use, algorithm, createdAt }) => ({
      id,
      use,
      algorithm,
      createdAt: isoTime(createdAt),
    })),
    hasPathSecret: key.pathSecret !== null,
    workloads: key.workloads.map(viewWorkload),
    isDecoy: key.isDecoy,
  };
}

export function viewWorkload({
  id,
  issuer,
  audience,
  claims,
  jwks,
  createdAt,
}: WorkloadTrust): KeyView["workloads"][0] {
  return { id, issuer, audience, claims: { ...claims }, hasOwnKeys: jwks !== null, createdAt: isoTime(createdAt) };
}

function viewDoor({ networks, require }: Pick<KeyRecord, "networks" | "require">): {
  networks: string[] | null;
  require: string[];
} {
  return { networks: networks && [...networks], require: [...require] };
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
      mayGrant === "*" || mayGrant === null
        ? mayGrant
        : {
            allow: [...mayGrant.allow],
            models: [...mayGrant.models],
            ...(mayGrant.limits ? { limits: viewLimits(mayGrant.limits) } : {}),
            ...(mayGrant.guard ? { guard: { ...mayGrant.guard } } : {}),
          },
    createdAt: isoTime(key.createdAt),
    expiresAt: expiryText(key),
    createdBy: key.createdBy,
  };
}

export function viewPrincipal(principal: Principal, localLogin: LocalLoginState = "none"): PrincipalView {
  const { external, disabledBy, bounds, revocations: _revocations, ...shown } = principal;
  const disabledIn = [...new Set(bounds?.disabledIn?.flatMap(({ environments }) => environments))];
  return {
    ...shown,
    groups: [...principal.groups],
    disabledBy: [...disabledBy],
    userName: external?.scim?.userName ?? null,
    externalId: external?.scim?.externalId ?? null,
    identities: external?.identities.map(({ issuer, subject }) => ({ issuer, subject })) ?? [],
    localLogin,
    ...(disabledIn.length > 0 ? { disabledIn } : {}),
    createdAt: isoTime(principal.createdAt),
  };
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
    ...viewDoor(role),
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
    keyLife: viewKeyLife(environment.keyLife),
    keyFate: environment.keyFate,
    cloud: environment.cloud,
    registries: [...environment.registries],
    keepAliveMax: formatDurationMs(environment.keepAliveMaxSeconds * 1_000),
    queue: { wait: formatDurationMs(environment.queue.waitMs), length: environment.queue.lengthMax },
    readerStall: formatDurationMs(environment.readerStallMs),
    limits: viewLimits(environment.limits),
    ...(environment.quotas ? { quotas: viewQuotas(environment.quotas) } : {}),
    ...(environment.reviews
      ? {
          reviews: environment.reviews.map(({ dueMs, reviewers, ...one }) => ({
            ...one,
            due: formatDurationMs(dueMs),
            reviewers: [...reviewers],
          })),
        }
      : {}),
    guard: environment.guard,
    ...viewDoor(environment),
    requireFor: environment.requireFor.map((row) => ({ do: [...row.permissions], need: [...row.require] })),
    pathSecrets: environment.pathSecrets,
    inferenceRecording: environment.inferenceRecording,
    tokens: { ttl: formatDurationMs(environment.tokens.ttlMs), only: environment.tokens.isOnly },
    anomalies: {
      budget: environment.anomalies.budget,
      actions: { ...environment.anomalies.actions },
      for: formatDurationMs(environment.anomalies.forMs),
    },
  };
}

function viewKeyLife(life: KeyLife): EnvironmentView["keyLife"] {
  const { noticesMs, ...lengths } = life;
  const entries = Object.entries(lengths).map(([name, ms]) => [name.slice(0, -2), formatDurationMs(ms)]);
  return { ...Object.fromEntries(entries), notices: noticesMs.map(formatDurationMs) } as EnvironmentView["keyLife"];
}

function viewQuotas({ zone, total, teams, models }: EnvironmentQuotas): EnvironmentView["quotas"] {
  return {
    zone,
    total: viewLimits(total),
    teams: Object.fromEntries(teams.map(({ name, limits }) => [name, viewLimits(limits)])),
    models: Object.fromEntries(models.map(({ selector, limits }) => [selector, viewLimits(limits)])),
  };
}

function isExpired(key: KeyRecord, now: number): boolean {
  const expiresAt = expiryOf(key);
  return expiresAt !== null && expiresAt <= now;
}

function expiryText(key: KeyRecord): string | null {
  const expiresAt = expiryOf(key);
  return expiresAt === null ? null : isoTime(expiresAt);
}
