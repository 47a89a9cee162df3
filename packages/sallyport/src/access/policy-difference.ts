/** What differs between two states of an environment, role or assignment, as short sentences. No sentence = no difference. */
import type { AlertKind } from "@sallyport/protocol";
import { formatDurationMs } from "@sallyport/contract";
import { environmentDefaults } from "./default-environment.ts";
import { guardText } from "./guard-bounds.ts";
import { limitsText } from "./limits-text.ts";
import type {
  AnomalyPolicy,
  Assignment,
  Environment,
  Grant,
  KeyFate,
  KeyLife,
  Principal,
  RightSpec,
  Role,
  UpstreamSpec,
} from "./policy.ts";

export function environmentDifferences(old: Environment | undefined, next: Environment): string[] {
  return differences(old && environmentFacts(old), environmentFacts(next));
}

export function roleDifferences(old: Role | undefined, next: Role): string[] {
  return differences(old && roleFacts(old), roleFacts(next));
}

/** `group ml-team: role support-bot in dev`. */
export function assignmentLine(assignment: Assignment, principals: ReadonlyMap<string, Principal>): string {
  const { subject, right, environment } = assignment;
  const who =
    "group" in subject ? `group ${subject.group}` : (principals.get(subject.principal)?.name ?? subject.principal);
  const what = [
    ...right.roles.map((name) => `role ${name}`),
    ...(right.allow.length > 0 ? [right.allow.join(", ")] : []),
    ...(right.models === null ? [] : [`on ${right.models.join(", ") || "no model"}`]),
  ];
  return `${who}: ${what.join(", ")} in ${environment}`;
}

/** Facts in the order in which they are printed; an empty fact ("") is printed only when it has changed. */
type Facts = Readonly<Record<string, string>>;

function differences(old: Facts | undefined, next: Facts): string[] {
  const names = Object.keys(next);
  if (!old) {
    const told = names.filter((name) => next[name] !== "").map((name) => `${name} ${next[name]}`);
    return told.length > 0 ? told : ["empty"];
  }
  return names
    .filter((name) => old[name] !== next[name])
    .map((name) => `${name} ${old[name] || "none"} -> ${next[name] || "none"}`);
}

function environmentFacts(environment: Environment): Facts {
  return {
    upstreams: environment.upstreams.map(upstreamText).join(", "),
    ...trafficFacts(environment),
    "keys.maxAge": formatDurationMs(environment.keyMaxAgeMs),
    ...keyLifeFacts(environment.keyLife),
    ...keyFateFacts(environment.keyFate),
    cloud: environment.cloud,
    registries: environment.registries.join(", "),
    keepAliveMax: formatDurationMs(environment.keepAliveMaxSeconds * 1_000),
    limits: limitsText(environment.limits),
    ...quotaFacts(environment),
    guard: guardText(environment.guard),
    networks: environment.networks?.join(", ") ?? "",
    require: environment.require.join(", "),
    requireFor: environment.requireFor
      .map((row) => `${row.permissions.join(", ")} need ${row.require.join(", ")}`)
      .join(" | "),
    pathSecrets: environment.pathSecrets === "deny" ? "" : environment.pathSecrets,
    "tokens.ttl":
      environment.tokens.ttlMs === environmentDefaults.tokens.ttlMs ? "" : formatDurationMs(environment.tokens.ttlMs),
    "tokens.only": environment.tokens.isOnly ? "yes" : "",
    reviews: (environment.reviews ?? []).map(rhythmText).join(" | "),
    ...anomalyFacts(environment.anomalies),
    "leaks.traffic": environment.leaks?.traffic ?? "",
    inferenceRecording: environment.inferenceRecording === "fail_closed" ? "" : environment.inferenceRecording,
  };
}

function quotaFacts({ quotas }: Environment): Facts {
  if (!quotas) return {};
  return {
    zone: quotas.zone,
    total: limitsText(quotas.total),
    ...Object.fromEntries(quotas.teams.map(({ name, limits }) => [`teams.${name}`, limitsText(limits)])),
    ...Object.fromEntries(quotas.models.map(({ selector, limits }) => [`models.${selector}`, limitsText(limits)])),
  };
}

function rhythmText({ every, scope, dueMs, reviewers }: NonNullable<Environment["reviews"]>[number]): string {
  const who = reviewers.length > 0 ? ` by ${reviewers.join(", ")}` : "";
  return `${every} of ${scope}, due ${formatDurationMs(dueMs)}${who}`;
}

/** Only what is not the usual. */
function trafficFacts({ queue, readerStallMs }: Environment): Facts {
  const usual = environmentDefaults;
  return {
    "queue.wait": queue.waitMs === usual.queue.waitMs ? "" : formatDurationMs(queue.waitMs),
    "queue.length": queue.lengthMax === usual.queue.lengthMax ? "" : String(queue.lengthMax),
    readerStall: readerStallMs === usual.readerStallMs ? "" : formatDurationMs(readerStallMs),
  };
}

/** Only values that differ from the default: eleven default lines would hide the one that the author wrote. */
function keyLifeFacts(life: KeyLife): Facts {
  const facts: Record<string, string> = {};
  for (const [name, value] of Object.entries(life)) {
    const usual = environmentDefaults.keyLife[name as keyof KeyLife];
    const text = [value].flat().map(formatDurationMs).join(", ");
    facts[`keys.${name.slice(0, -2)}`] = text === [usual].flat().map(formatDurationMs).join(", ") ? "" : text;
  }
  return facts;
}

function keyFateFacts(fate: KeyFate): Facts {
  const usual: KeyFate = environmentDefaults.keyFate;
  return Object.fromEntries(
    Object.entries(fate).map(([name, what]) => [
      `keys.${name}`,
      what === usual[name as keyof KeyFate] ? "" : String(what),
    ]),
  );
}

function anomalyFacts({ budget, actions, forMs }: AnomalyPolicy): Facts {
  const usual: AnomalyPolicy = environmentDefaults.anomalies;
  const told = Object.entries(actions).map(([kind, action]) => [
    `anomalies.actions.${kind}`,
    action === usual.actions[kind as AlertKind | "default"] ? "" : action,
  ]);
  return {
    "anomalies.budget": budget === usual.budget ? "" : String(budget),
    "anomalies.for": forMs === usual.forMs ? "" : formatDurationMs(forMs),
    ...Object.fromEntries(told),
  };
}

function roleFacts(role: Role): Facts {
  return {
    allow: role.grants.map(grantText).join(" | "),
    limits: limitsText(role.limits),
    guard: guardText(role.guard),
    networks: role.networks?.join(", ") ?? "",
    require: role.require.join(", "),
  };
}

function upstreamText(upstream: UpstreamSpec): string {
  const kind = upstream.kind === undefined ? "" : ` kind=${upstream.kind}`;
  const concurrency = upstream.concurrency === undefined ? "" : ` concurrency=${upstream.concurrency}`;
  const timeout = upstream.timeoutMs === undefined ? "" : ` timeout=${formatDurationMs(upstream.timeoutMs)}`;
  const timeouts = Object.entries(upstream.timeouts ?? {})
    .map(([name, durationMs]) => ` timeouts.${name.slice(0, -2)}=${formatDurationMs(durationMs)}`)
    .join("");
  const shared = upstream.isShared ? " shared" : "";
  return `${upstream.id}=${upstream.url}${kind}${concurrency}${timeout}${timeouts}${shared}`;
}

function grantText(grant: Grant): string {
  return grant.models === null
    ? grant.permissions.join(", ")
    : `${grant.permissions.join(", ")} on ${grant.models.join(", ")}`;
}

/** Equal for rights that say the same: order and repetition say nothing. */
export function rightText(right: RightSpec): string {
  const sorted = (list: readonly string[]): string[] => [...new Set(list)].sort();
  return JSON.stringify([
    sorted(right.roles),
    sorted(right.allow),
    right.models === null ? null : sorted(right.models),
  ]);
}
