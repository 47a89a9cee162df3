/**
 * Present policy -> the document that a policy file would hold: the reverse of `policy-file.ts`. Applied again, it changes
 * nothing. What the defaults say is not written, so that the file reads as a person would have written it. Tests and
 * comments of the file that was applied are not kept, and so not here; assignments made by administrators are no part of it.
 */
import { formatDurationMs } from "@sallyport/contract";
import { isDeepStrictEqual } from "node:util";
import type { LongWork } from "../kernel/long-work.ts";
import { isBuiltInRole } from "./built-in-roles.ts";
import { environmentDefaults } from "./default-environment.ts";
import { viewLimits } from "./limits-text.ts";
import type { PresentPolicy } from "./policy-plan.ts";
import type { Assignment, Environment, EnvironmentQuotas, Role, UpstreamSpec } from "./policy.ts";

/** As `policySchema` reads it. */
export interface WrittenPolicy {
  readonly environments: Readonly<Record<string, object>>;
  readonly roles: Readonly<Record<string, object>>;
  readonly assign: readonly object[];
}

/** `isMine`: whether an environment is written; its assignments are, too. */
export async function writePolicy(
  { environments, roles, assignments }: PresentPolicy,
  isMine: (environment: string) => boolean,
  work: LongWork,
): Promise<WrittenPolicy> {
  const shown = [...environments.values()].filter(({ name }) => isMine(name));
  const rows = new Map<string, { entry: object; in: Set<string> }>();
  await work.each(assignments, (assignment) => {
    if (assignment.source !== "policy" || !isMine(assignment.environment)) return;
    const entry = writeAssignment(assignment);
    const text = JSON.stringify(entry);
    const row = rows.get(text);
    if (row) row.in.add(assignment.environment);
    else rows.set(text, { entry, in: new Set([assignment.environment]) });
  });
  const written = await work.flatMap(roles.values(), (role) =>
    isBuiltInRole(role.name) ? [] : [[role.name, writeRole(role)] as const],
  );
  return {
    environments: Object.fromEntries(shown.map((one) => [one.name, writeEnvironment(one)])),
    roles: Object.fromEntries(written),
    assign: [...rows.values()].map((row) => ({ ...row.entry, in: [...row.in] })),
  };
}

function writeEnvironment(environment: Environment): object {
  const usual = environmentDefaults;
  const { queue, tokens, anomalies, quotas, keyLife, keyFate, reviews, leaks } = environment;
  return filled({
    upstreams: environment.upstreams.map(writeUpstream),
    queue: filled({
      wait: changed(queue.waitMs, usual.queue.waitMs, formatDurationMs),
      length: changed(queue.lengthMax, usual.queue.lengthMax),
    }),
    readerStall: changed(environment.readerStallMs, usual.readerStallMs, formatDurationMs),
    keys: filled({
      maxAge: changed(environment.keyMaxAgeMs, usual.keyMaxAgeMs, formatDurationMs),
      ...differences(keyLife, usual.keyLife, (name, value) =>
        Array.isArray(value)
          ? ["notices", value.map((one: number) => formatDurationMs(one))]
          : [withoutUnit(name), formatDurationMs(value as number)],
      ),
      ...differences(keyFate, usual.keyFate),
    }),
    cloud: changed(environment.cloud, usual.cloud),
    registries: changed(environment.registries, usual.registries),
    keepAliveMax: changed(environment.keepAliveMaxSeconds, usual.keepAliveMaxSeconds, (seconds) =>
      formatDurationMs(seconds * 1_000),
    ),
    limits: viewLimits(environment.limits),
    ...(quotas && writeQuotas(quotas)),
    guard: environment.guard,
    networks: environment.networks,
    require: changed(environment.require, usual.require),
    requireFor: changed(environment.requireFor, usual.requireFor, (rows) =>
      rows.map(({ permissions, require }) => ({ do: permissions, need: require })),
    ),
    tokens: filled({
      ttl: changed(tokens.ttlMs, usual.tokens.ttlMs, formatDurationMs),
      only: changed(tokens.isOnly, usual.tokens.isOnly),
    }),
    pathSecrets: changed(environment.pathSecrets, usual.pathSecrets),
    inferenceRecording: changed(environment.inferenceRecording, usual.inferenceRecording),
    reviews: reviews?.map(({ dueMs, ...one }) => ({ ...one, due: formatDurationMs(dueMs) })),
    anomalies: filled({
      budget: changed(anomalies.budget, usual.anomalies.budget),
      actions: differences(anomalies.actions, usual.anomalies.actions),
      for: changed(anomalies.forMs, usual.anomalies.forMs, formatDurationMs),
    }),
    leaks,
  });
}

function writeUpstream({ timeoutMs, timeouts, isShared, ...rest }: UpstreamSpec): object {
  return {
    ...rest,
    ...(isShared && { shared: true }),
    ...(timeoutMs !== undefined && { timeout: formatDurationMs(timeoutMs) }),
    ...(timeouts && {
      timeouts: Object.fromEntries(
        Object.entries(timeouts).map(([name, ms]) => [withoutUnit(name), formatDurationMs(ms as number)]),
      ),
    }),
  };
}

function writeQuotas({ zone, total, teams, models }: EnvironmentQuotas): object {
  return {
    zone,
    total: viewLimits(total),
    teams: Object.fromEntries(teams.map(({ name, limits }) => [name, viewLimits(limits)])),
    models: Object.fromEntries(models.map(({ selector, limits }) => [selector, viewLimits(limits)])),
  };
}

function writeRole({ grants, limits, guard, networks, require }: Role): object {
  return {
    allow: grants.map(({ permissions, models }) => ({ do: permissions, ...(models && { on: models }) })),
    ...filled({ limits: viewLimits(limits), guard, networks, require: changed(require, []) }),
  };
}

function writeAssignment({ subject, right: { roles, allow, models } }: Assignment): object {
  return {
    ...subject,
    ...(roles.length > 0 && { role: roles.length === 1 ? roles[0] : roles }),
    ...(allow.length > 0 && { allow }),
    ...(models !== null && { on: models }),
  };
}

function changed<T>(value: T, usual: NoInfer<T>, write: (value: T) => unknown = (one) => one): unknown {
  return isDeepStrictEqual(value, usual) ? undefined : write(value);
}

/** The members that are not as usual, each under the name and in the form in which it is written. */
function differences(
  values: object,
  usual: object,
  write: (name: string, value: unknown) => readonly [string, unknown] = (name, value) => [name, value],
): object {
  const known = usual as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      isDeepStrictEqual(value, known[name]) ? [] : [write(name, value)],
    ),
  );
}

/** Without members that say nothing. An empty list says something: no registry is not the usual registries. */
function filled(entry: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => !isNothing(value)));
}

function isNothing(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === "object" && !Array.isArray(value) && Object.keys(value).length === 0;
}

function withoutUnit(name: string): string {
  return name.replace(/Ms$/, "");
}
