/**
 * Every limit that binds a key's requests, with whom it is counted for: the key itself, its owner (all of their keys in
 * the environment together), the owner's team, all requests of the environment, or all requests with some models.
 */
import { parseSelector } from "@sallyport/protocol";
import type { ModelSelector } from "@sallyport/protocol";
import type { Environment, Limits } from "./policy.ts";

export interface LimitRow {
  /** Where it was written, for people: `role chatbot`. */
  readonly origin: string;
  /** The name under which all requests that it binds are counted together; null = each key is counted apart. */
  readonly account: string | null;
  /** Only requests with these models; null = all. */
  readonly selector: ModelSelector | null;
  readonly limits: Limits;
}

export function limitRowsOf(
  environment: Environment,
  owner: { readonly id: string; readonly team: string | null } | undefined,
  key: Limits,
  roles: readonly { readonly name: string; readonly limits: Limits }[],
): LimitRow[] {
  const { name, quotas } = environment;
  const user = owner === undefined ? null : `${name} user ${owner.id}`;
  const team = quotas?.teams.find((one) => one.name === owner?.team);
  const rows: LimitRow[] = [
    row(`environment ${name}`, user, environment.limits),
    row("key", null, key),
    ...roles.map((role) => row(`role ${role.name}`, user, role.limits)),
  ];
  if (team) rows.push(row(`team ${team.name}`, `${name} team`, team.limits));
  if (quotas) {
    rows.push(row(`all of ${name}`, name, quotas.total));
    for (const { selector, limits } of quotas.models)
      rows.push(row(`models ${selector}`, name, limits, parseSelector(selector) ?? null));
  }
  return rows.filter(({ limits }) => Object.keys(limits).length > 0);
}

/** The account is made here, once, and not for each request. What is written in two places is counted in two. */
function row(origin: string, counted: string | null, limits: Limits, selector: ModelSelector | null = null): LimitRow {
  return { origin, account: counted === null ? null : `${counted} ${origin}`, selector, limits };
}
