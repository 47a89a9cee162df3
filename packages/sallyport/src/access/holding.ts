/**
 * What a principal holds: the one answer to "does this assignment count for this principal?". A membership or a sign-in
 * identifier counts only as far as its writer could have granted what it gives now, not what it gave then. Pure.
 */
import type { Assignments } from "./assignments.ts";
import { excessAssigned } from "./attenuation.ts";
import type { Issuer } from "./issuer.ts";
import type { Agents, Assignment, Environment, Principal, Role, Voucher } from "./policy.ts";

/** What a delegation scope is judged by. */
export interface ScopePolicy {
  readonly environments: ReadonlyMap<string, Environment>;
  readonly roles: ReadonlyMap<string, Role>;
  /** Absent = the settings name none. */
  readonly agents?: Agents;
}

/** The assignment gives its right to the principal, whether or not it may act at present. */
export function holds(principal: Principal, assignment: Assignment, policy: ScopePolicy): boolean {
  const { subject } = assignment;
  if (!("group" in subject)) return subject.principal === principal.id;
  if (!principal.groups.includes(subject.group)) return false;
  const memberships = principal.bounds?.memberships?.filter(({ group }) => group === subject.group) ?? [];
  return memberships.length === 0 || memberships.some(({ voucher }) => vouchesFor(voucher, assignment, policy));
}

export function holdingsOf(
  principal: Principal,
  policy: ScopePolicy & { readonly assignments: Pick<Assignments, "about"> },
): Assignment[] {
  return policy.assignments.about(principal).filter((assignment) => holds(principal, assignment, policy));
}

/** The writer could hand out this right in this environment; an agent's word is the provider's in its environments. */
export function vouchesFor(voucher: Voucher, assignment: Assignment, policy: ScopePolicy): boolean {
  const { environment } = assignment;
  if (!speaksFor(voucher, environment, policy)) return false;
  const { environments, mayGrant } = voucher;
  return (
    isAgentIn(voucher, environment, policy) ||
    excessAssigned({ permissions: [], environments, mayGrant }, assignment, policy).length === 0
  );
}

/** The writer's word is about this environment. An agent's is about the environments the settings give it. */
export function speaksFor(voucher: Voucher, environment: string, policy: Pick<ScopePolicy, "agents">): boolean {
  const { environments, agentOf } = voucher;
  const ofAgent = agentOf === undefined ? undefined : policy.agents?.get(agentOf);
  return isWithin(environments, environment) && (ofAgent === undefined || isWithin(ofAgent, environment));
}

function isAgentIn({ agentOf }: Voucher, environment: string, { agents }: Pick<ScopePolicy, "agents">): boolean {
  const ofAgent = agentOf === undefined ? undefined : agents?.get(agentOf);
  return ofAgent !== undefined && isWithin(ofAgent, environment);
}

function isWithin(environments: Voucher["environments"], environment: string): boolean {
  return environments === "*" || environments.includes(environment);
}

/** Everything the principal holds (in the environment, where one is named) is the writer's to hand out. */
export function coversHoldings(
  voucher: Voucher | undefined,
  principal: Principal,
  policy: ScopePolicy & { readonly assignments: Pick<Assignments, "about"> },
  environment: string | null = null,
): boolean {
  if (voucher && isUnbounded(voucher)) return true;
  return holdingsOf(principal, policy).every(
    (assignment) =>
      (environment !== null && assignment.environment !== environment) ||
      (voucher !== undefined && vouchesFor(voucher, assignment, policy)),
  );
}

/** What is kept of a caller who writes a sign-in identifier. */
export function voucherOf({ actor, right }: Issuer): Voucher {
  return { by: actor, environments: right.environments, mayGrant: right.mayGrant };
}

/** A writer that may grant everything everywhere: what it writes needs no second check. */
export function isUnbounded({ environments, mayGrant }: Pick<Voucher, "environments" | "mayGrant">): boolean {
  return environments === "*" && mayGrant === "*";
}

/** The principal may not act in the environment, though it may elsewhere. */
export function isDisabledIn({ isDisabled, bounds }: Principal, environment: string): boolean {
  return isDisabled || bounds?.disabledIn?.some(({ environments }) => environments.includes(environment)) === true;
}
