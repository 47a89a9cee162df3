/**
 * Where a change of policy may point environments: never at metadata services, only where the settings allow it, and at
 * another environment's server only where both environments say so. Pure.
 */
import type { Operation } from "../changes/change.ts";
import { isUnbounded } from "./holding.ts";
import { environmentsAfter } from "./policy-after.ts";
import type { PresentPolicy } from "./policy-plan.ts";
import type { AdminRight, Environment } from "./policy.ts";
import { isListedPlace, upstreamPlaceOf, refusePlace } from "./upstream-place.ts";

export interface UpstreamVerdict {
  /** Wrong for every caller. */
  readonly mistakes: readonly string[];
  /** Needs an administrator of everything. */
  readonly excess: readonly string[];
}

/** `hosts`: what the settings allow (`upstreamHosts`); null = not set, and then only an administrator of everything adds one. */
export function judgeUpstreams(
  operations: readonly Operation[],
  present: PresentPolicy,
  right: AdminRight,
  hosts: readonly string[] | null,
): UpstreamVerdict {
  const mistakes: string[] = [];
  const excess: string[] = [];
  const after = environmentsAfter(operations, present);
  for (const operation of operations) {
    if (operation.op !== "environment.put") continue;
    const { name, upstreams } = operation.environment;
    const old = present.environments.get(name)?.upstreams ?? [];
    for (const upstream of upstreams) {
      const { id, url } = upstream;
      const where = `environments.${name}.upstreams ${id}`;
      const never = refusePlace(url);
      if (never !== undefined) mistakes.push(`${where}: ${never}`);
      const isNew = !old.some((one) => upstreamPlaceOf(one.url) === upstreamPlaceOf(url));
      if (isNew && hosts !== null && !isListedPlace(url, hosts))
        mistakes.push(`${where}: ${url} is not among the hosts of the setting upstreamHosts`);
      if (isUnbounded(right)) continue;
      if (isNew && hosts === null)
        excess.push(
          `${where}: ${url} is a new model server, and the setting upstreamHosts allows none: add its host there, or ask an administrator of everything`,
        );
      const changed = old.find((one) => one.url === url)?.isShared !== upstream.isShared;
      if (isNew || changed) excess.push(...sharingExcess(operation.environment, upstream, after, where));
    }
  }
  return { mistakes, excess };
}

function sharingExcess(
  { name }: Environment,
  { url, isShared }: Environment["upstreams"][number],
  after: ReadonlyMap<string, Environment>,
  where: string,
): string[] {
  const others = [...after.values()].filter(
    (other) =>
      other.name !== name &&
      other.upstreams.some(
        (one) => upstreamPlaceOf(one.url) === upstreamPlaceOf(url) && !(isShared === true && one.isShared === true),
      ),
  );
  return others.length === 0
    ? []
    : [
        `${where}: ${url} is another environment's server: write \`shared: true\` at it in both environments, or use a separate server`,
      ];
}
