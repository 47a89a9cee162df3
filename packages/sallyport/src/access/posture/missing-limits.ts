/** Production environments in which nothing is limited: not by environment, team, model, role or key. */
import type { Environment } from "../policy.ts";
import type { Snapshot } from "../snapshot.ts";
import { isLimited } from "./key-scopes.ts";
import type { KeyScopes } from "./key-scopes.ts";
import { findingOf, isProduction } from "./posture-finding.ts";
import type { PostureFinding } from "./posture-finding.ts";

export function missingLimits(snapshot: Snapshot, scopes: Pick<KeyScopes, "hasLimitedKey">): PostureFinding[] {
  const isOpen = (environment: Environment): boolean =>
    isProduction(environment.name) &&
    !hasOwnLimits(environment) &&
    !scopes.hasLimitedKey(environment.name) &&
    !hasLimitedRole(environment.name, snapshot);
  return [...snapshot.environments.values()].filter(isOpen).map(({ name }) =>
    findingOf("no_limits_in_prod", {
      environment: name,
      subject: `environment:${name}`,
      says: `${name} has no rate, budget or concurrency limit`,
      evidence: ["no limits on the environment, its total, its teams, its models, its roles or its keys"],
      remedy: "add limits: { requests: 60/min, concurrency: 4 } to the environment: sallyport apply -f policy.yaml",
    }),
  );
}

function hasOwnLimits({ limits, quotas, upstreams }: Environment): boolean {
  const all = [
    limits,
    ...(quotas
      ? [quotas.total, ...quotas.teams.map((one) => one.limits), ...quotas.models.map((one) => one.limits)]
      : []),
  ];
  return (
    all.some(isLimited) || (upstreams.length > 0 && upstreams.every(({ concurrency }) => concurrency !== undefined))
  );
}

function hasLimitedRole(environment: string, { roles, assignments }: Snapshot): boolean {
  return [...roles.values()].some(
    ({ name, limits }) =>
      isLimited(limits) && assignments.naming(name).some((assignment) => assignment.environment === environment),
  );
}
