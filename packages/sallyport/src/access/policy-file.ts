/**
 * A parsed policy file -> the parts of policy it describes. Two passes: the schema (shapes, forms, unknown keys), and
 * what a schema cannot say (names that must exist, uniqueness, built-in names). Both always run, so that all mistakes
 * are reported at once; with a mistake, nothing is used.
 */
import { parseDurationMs, policySchema } from "@sallyport/contract";
import type { EnvironmentEntry, PolicyFile, RoleEntry, TestEntry } from "@sallyport/contract";
import { needsModel } from "@sallyport/protocol";
import { environmentDefaults } from "./default-environment.ts";
import { buildGuard } from "./guard-bounds.ts";
import { buildLimits } from "./limits-text.ts";
import { KEY_AGE_MAX_MS } from "./policy.ts";
import type {
  AnomalyPolicy,
  Environment,
  EnvironmentQuotas,
  KeyFate,
  KeyLife,
  RightSpec,
  Role,
  UpstreamSpec,
  UpstreamTimeouts,
} from "./policy.ts";
import { policyReferenceMistakes } from "./policy-mistakes.ts";
import type { PolicyMistake } from "./policy-mistakes.ts";
import type { PolicyTest, TestedDemand } from "./policy-tests.ts";

/** An assignment as the file writes it: a principal is an id or a unique name, resolved by the plan. */
export interface PolicyAssignment {
  readonly subject: { readonly principal: string } | { readonly group: string };
  readonly environment: string;
  readonly right: RightSpec;
}

export interface PolicyDocument {
  readonly environments: readonly Environment[];
  readonly roles: readonly Role[];
  readonly assignments: readonly PolicyAssignment[];
  readonly tests: readonly PolicyTest[];
}

export type PolicyRead =
  | { readonly ok: true; readonly policy: PolicyDocument }
  | { readonly ok: false; readonly mistakes: readonly PolicyMistake[] };

export function readPolicy(document: unknown): PolicyRead {
  const read = policySchema.safeParse(document);
  const mistakes = [...(read.success ? [] : schemaMistakes(read.error.issues)), ...policyReferenceMistakes(document)];
  if (!read.success || mistakes.length > 0) return { ok: false, mistakes };
  return { ok: true, policy: build(read.data) };
}

/** What zod's issues have in common, as far as we report it. */
interface SchemaIssue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
}

function schemaMistakes(issues: readonly SchemaIssue[]): PolicyMistake[] {
  return issues.flatMap((issue): PolicyMistake[] => {
    const path = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
    if (issue.code === "unrecognized_keys") {
      return (issue.keys ?? []).map((key) => ({ path: [...path, key], says: "is not a known key" }));
    }
    return [{ path, says: issue.message }];
  });
}

function build(file: PolicyFile): PolicyDocument {
  return {
    environments: Object.entries(file.environments).map(([name, entry]) => buildEnvironment(name, entry)),
    roles: Object.entries(file.roles).map(([name, entry]) => buildRole(name, entry)),
    assignments: file.assign.flatMap((row) =>
      row.in.map((environment) => ({
        subject: row.group === undefined ? { principal: row.principal ?? "" } : { group: row.group },
        environment,
        right: {
          roles: row.role === undefined ? [] : [row.role].flat(),
          allow: row.allow ?? [],
          models: row.on ?? null,
        },
      })),
    ),
    tests: file.tests.map(buildTest),
  };
}

function buildTest({ as, in: environment, may, mayNot }: TestEntry, index: number): PolicyTest {
  return {
    place: `tests[${index}]`,
    group: as.group ?? null,
    right: { roles: as.role === undefined ? [] : [as.role].flat(), allow: as.allow ?? [], models: as.on ?? null },
    environment,
    may: may.flatMap(buildDemands),
    mayNot: mayNot.flatMap(buildDemands),
  };
}

/** Each permission on each model; those that need no model once. */
function buildDemands({ do: permissions, on }: TestEntry["may"][number]): TestedDemand[] {
  return [permissions].flat().flatMap((permission): TestedDemand[] => {
    if (!needsModel(permission)) return [{ permission, model: null }];
    return [on ?? []].flat().map((model) => ({ permission, model }));
  });
}

function buildEnvironment(name: string, entry: EnvironmentEntry): Environment {
  return {
    name,
    upstreams: entry.upstreams.map((upstream, i): UpstreamSpec => ({
      id: upstream.id ?? `u${i + 1}`,
      url: upstream.url,
      ...(upstream.kind === undefined || upstream.kind === "ollama" ? {} : { kind: upstream.kind }),
      ...(upstream.concurrency === undefined ? {} : { concurrency: upstream.concurrency }),
      ...(upstream.shared ? { isShared: true } : {}),
      ...(upstream.timeout === undefined ? {} : { timeoutMs: milliseconds(upstream.timeout) }),
      ...(upstream.timeouts === undefined ? {} : { timeouts: buildTimeouts(upstream.timeouts) }),
    })),
    queue: {
      waitMs: entry.queue?.wait === undefined ? environmentDefaults.queue.waitMs : milliseconds(entry.queue.wait),
      lengthMax: entry.queue?.length ?? environmentDefaults.queue.lengthMax,
    },
    readerStallMs:
      entry.readerStall === undefined ? environmentDefaults.readerStallMs : milliseconds(entry.readerStall),
    keyMaxAgeMs: entry.keys?.maxAge === undefined ? KEY_AGE_MAX_MS : milliseconds(entry.keys.maxAge),
    keyLife: buildKeyLife(entry.keys ?? {}),
    keyFate: buildKeyFate(entry.keys ?? {}),
    cloud: entry.cloud,
    registries: entry.registries,
    keepAliveMaxSeconds: milliseconds(entry.keepAliveMax) / 1_000,
    limits: buildLimits(entry.limits),
    ...buildQuotas(entry),
    ...buildReviews(entry),
    guard: buildGuard(entry.guard),
    networks: entry.networks ?? null,
    require: unique(entry.require ?? []),
    requireFor: (entry.requireFor ?? []).map((row) => ({ permissions: unique(row.do), require: unique(row.need) })),
    pathSecrets: entry.pathSecrets,
    tokens: {
      ttlMs: entry.tokens?.ttl === undefined ? environmentDefaults.tokens.ttlMs : milliseconds(entry.tokens.ttl),
      isOnly: entry.tokens?.only ?? environmentDefaults.tokens.isOnly,
    },
    anomalies: buildAnomalies(entry.anomalies),
    ...(entry.leaks === undefined || entry.leaks.traffic === "notify" ? {} : { leaks: entry.leaks }),
    inferenceRecording: entry.inferenceRecording,
  };
}

/** None where nothing of them is written: an environment that says nothing is equal to one of before. */
function buildQuotas({ zone, total, teams, models }: EnvironmentEntry): { quotas?: EnvironmentQuotas } {
  if (zone === undefined && total === undefined && teams === undefined && models === undefined) return {};
  return {
    quotas: {
      zone: zone ?? "UTC",
      total: buildLimits(total),
      teams: Object.entries(teams ?? {}).map(([name, limits]) => ({ name, limits: buildLimits(limits) })),
      models: Object.entries(models ?? {}).map(([selector, limits]) => ({ selector, limits: buildLimits(limits) })),
    },
  };
}

function buildReviews({ reviews }: EnvironmentEntry): Pick<Environment, "reviews"> {
  if (!reviews?.length) return {};
  return { reviews: reviews.map(({ due, ...one }) => ({ ...one, dueMs: milliseconds(due) })) };
}

function buildTimeouts(written: NonNullable<EnvironmentEntry["upstreams"][number]["timeouts"]>): UpstreamTimeouts {
  return Object.fromEntries(
    Object.entries(written).flatMap(([name, text]) => (text === undefined ? [] : [[`${name}Ms`, milliseconds(text)]])),
  );
}

function buildAnomalies(written: EnvironmentEntry["anomalies"]): AnomalyPolicy {
  const usual = environmentDefaults.anomalies;
  const actions = Object.entries(written?.actions ?? {}).filter(([, action]) => action !== undefined);
  return {
    budget: written?.budget ?? usual.budget,
    actions: { ...usual.actions, ...Object.fromEntries(actions) },
    forMs: written?.for === undefined ? usual.forMs : milliseconds(written.for),
  };
}

function unique<T>(list: readonly T[]): readonly T[] {
  return [...new Set(list)];
}

function buildKeyLife(written: NonNullable<EnvironmentEntry["keys"]>): KeyLife {
  const life: Record<string, unknown> = { ...environmentDefaults.keyLife };
  for (const [name, value] of Object.entries(written)) {
    if (value === undefined || name === "maxAge" || Object.hasOwn(environmentDefaults.keyFate, name)) continue;
    if (Array.isArray(value)) life["noticesMs"] = value.map(milliseconds).toSorted((a, b) => b - a);
    else life[`${name}Ms`] = milliseconds(value as string);
  }
  return life as unknown as KeyLife;
}

function buildKeyFate(written: NonNullable<EnvironmentEntry["keys"]>): KeyFate {
  const { onLeave, onRoleLost, onSignOut, onRisk } = { ...environmentDefaults.keyFate, ...withoutUndefined(written) };
  return { onLeave, onRoleLost, onSignOut, onRisk };
}

function withoutUndefined(written: NonNullable<EnvironmentEntry["keys"]>): Partial<KeyFate> {
  return Object.fromEntries(Object.entries(written).filter(([, value]) => value !== undefined));
}

function buildRole(name: string, entry: RoleEntry): Role {
  return {
    name,
    grants: entry.allow.map((grant) => ({ permissions: grant.do, models: grant.on ?? null })),
    limits: buildLimits(entry.limits),
    guard: buildGuard(entry.guard),
    networks: entry.networks ?? null,
    require: unique(entry.require ?? []),
  };
}

/** The schema has looked at the form: a text that is no duration here is a fault. */
function milliseconds(text: string): number {
  const durationMs = parseDurationMs(text);
  if (durationMs === undefined) throw new TypeError(`not a duration: ${text}`);
  return durationMs;
}
