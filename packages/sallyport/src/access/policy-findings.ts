/**
 * Findings about a valid policy: environments that share a model server, risky wildcards, roles that grant more than is
 * used. Pure: current policy, keys and known uses in, findings out; in slices.
 */
import { needsModel } from "@sallyport/protocol";
import { LongWork } from "../kernel/long-work.ts";
import { compileRight } from "./compiled-grant.ts";
import type { CompiledGrant } from "./compiled-grant.ts";
import type { Assignment, Environment } from "./policy.ts";
import type { PolicyFacts, PolicyFinding } from "./policy-finding.ts";
import { roleFindings } from "./role-findings.ts";
import type { Snapshot } from "./snapshot.ts";
import { upstreamPlaceOf } from "./upstream-place.ts";

export async function policyFindings(facts: PolicyFacts, work = new LongWork()): Promise<PolicyFinding[]> {
  const environments = [...facts.snapshot.environments.values()];
  const all = [
    ...sharedUpstreams(environments, facts.isShown),
    ...(await productionWildcards(facts.snapshot, work)),
    ...(await roleFindings(facts, work)),
  ];
  return work.filter(all, ({ environment }) => facts.isShown(environment));
}

/** Named so that everybody takes it for production: `prod`, `production`, `prod2`, `live`. */
export function isProduction(environment: string): boolean {
  return /^(?:prod|live)/.test(environment);
}

/** Two environments in front of one server: models that one pulls, deletes or loads are the other's too. */
function sharedUpstreams(environments: readonly Environment[], isShown: PolicyFacts["isShown"]): PolicyFinding[] {
  const users = new Map<string, Set<string>>();
  for (const { name, upstreams } of environments)
    for (const { url } of upstreams) {
      const place = upstreamPlaceOf(url);
      users.set(place, (users.get(place) ?? new Set()).add(name));
    }
  return [...users].flatMap(([place, names]) => {
    if (names.size < 2) return [];
    const all = [...names].toSorted();
    const isMixed = all.some(isProduction) && !all.every(isProduction);
    return all.map((environment): PolicyFinding => {
      const others = all.filter((name) => name !== environment).map((name) => (isShown(name) ? name : "another"));
      return {
        code: "upstream_shared",
        state: isMixed ? "wrong" : "note",
        environment,
        says: `${environment} shares the model server ${place} with ${[...new Set(others)].join(", ")}: they have its models and its load in common`,
        remedy: "give each its own model server (another OLLAMA_HOST port and OLLAMA_MODELS are enough)",
      };
    });
  });
}

function productionWildcards({ assignments, roles, principals }: Snapshot, work: LongWork): Promise<PolicyFinding[]> {
  // Many assignments give the same right: what is wide in it is asked once.
  const wideOrigins = new Map<string, readonly string[]>();
  const originsOf = (right: Assignment["right"]): readonly string[] => {
    const text = JSON.stringify(right);
    const held =
      wideOrigins.get(text) ??
      compileRight(right, roles)
        .filter(isWide)
        .map(({ origin }) => origin);
    wideOrigins.set(text, held);
    return held;
  };
  return work.flatMap(assignments, ({ environment, subject, right }): PolicyFinding[] => {
    const origins = isProduction(environment) ? originsOf(right) : [];
    if (origins.length === 0) return [];
    return [
      {
        code: "wildcard_in_production",
        state: "wrong",
        environment,
        says: `${subjectText(subject, principals)} may use any model of ${environment}, by ${[...new Set(origins)].join(" and ")}: including models that are pulled later`,
        remedy: "name the models instead of a wildcard, in the role or in the assignment",
      },
    ];
  });
}

/** It gives something that is done with a model, and every list that narrows it has a selector for whole namespaces. */
function isWide({ permissions, selectorLists }: CompiledGrant): boolean {
  if (![...permissions].some(needsModel)) return false;
  return selectorLists.length > 0 && selectorLists.every((list) => list.some(({ model }) => model === null));
}

function subjectText(subject: Assignment["subject"], principals: Snapshot["principals"]): string {
  if ("group" in subject) return `the group ${subject.group}`;
  return principals.get(subject.principal)?.name ?? subject.principal;
}
