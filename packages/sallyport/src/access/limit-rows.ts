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
  /** Whose requests are counted together; null = the key's own. */
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
    { origin: `environment ${name}`, account: user, selector: null, limits: environment.limits },
    { origin: "key", account: null, selector: null, limits: key },
    ...roles.map((role) => ({ origin: `role ${role.name}`, account: user, selector: null, limits: role.limits })),
  ];
  if (team) rows.push({ origin: `team ${team.name}`, account: `${name} team`, selector: null, limits: team.limits });
  if (quotas) {
    rows.push({ origin: `all of ${name}`, account: name, selector: null, limits: quotas.total });
    for (const { selector, limits } of quotas.models)
      rows.push({ origin: `models ${selector}`, account: name, selector: parseSelector(selector) ?? null, limits });
  }
  return rows.filter(({ limits }) => Object.keys(limits).length > 0);
}
