/**
 * How large a part of the model servers a key's requests get beside others, from what policy says of its environment, its
 * owner's team, the roles it uses and itself. A key can only take less: its own weight divides its owner's part.
 */
import type { Priority } from "@sallyport/protocol";
import type { Environment, Limits } from "./policy.ts";

export interface ShareTerms {
  readonly teamWeight: number;
  readonly principalWeight: number;
  readonly keyWeight: number;
  readonly priority: Priority;
  /** Longest time one request may hold a slot, ms; null = as long as the model server's own bounds. */
  readonly maxServiceMs: number | null;
}

export function shareTermsOf(
  environment: Environment,
  team: string | null,
  key: Limits,
  usedRoles: readonly { readonly limits: Limits }[],
): ShareTerms {
  const roles = usedRoles.map(({ limits }) => limits);
  const ofTeam = environment.quotas?.teams.find(({ name }) => name === team)?.limits ?? {};
  const all = [environment.limits, ofTeam, key, ...roles];
  const bounds = all.flatMap(({ maxServiceMs }) => (maxServiceMs === undefined ? [] : [maxServiceMs]));
  return {
    teamWeight: ofTeam.weight ?? 1,
    // A person with several roles has the weight of the heaviest.
    principalWeight: Math.max(0, ...roles.map(({ weight }) => weight ?? 0)) || (environment.limits.weight ?? 1),
    keyWeight: key.weight ?? 1,
    priority: key.priority === "batch" ? "batch" : priorityOf([...roles, ofTeam, environment.limits]),
    maxServiceMs: bounds.length === 0 ? null : Math.min(...bounds),
  };
}

/** The first level that says something decides; of several roles, one that says interactive. */
function priorityOf(levels: readonly Limits[]): Priority {
  const said = levels.flatMap(({ priority }) => (priority === undefined ? [] : [priority]));
  return said.includes("interactive") || said.length === 0 ? "interactive" : "batch";
}
