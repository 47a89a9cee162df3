/** Two environments in front of one server: models that one pulls, deletes or loads are the other's too. */
import type { Environment } from "../policy.ts";
import { upstreamPlaceOf } from "../upstream-place.ts";
import { findingOf, mixesProduction } from "./posture-finding.ts";
import type { PolicyFacts, PostureFinding } from "./posture-finding.ts";

export function sharedServers(environments: readonly Environment[], isShown: PolicyFacts["isShown"]): PostureFinding[] {
  const users = new Map<string, Set<string>>();
  for (const { name, upstreams } of environments)
    for (const { url } of upstreams) {
      const place = upstreamPlaceOf(url);
      users.set(place, (users.get(place) ?? new Set()).add(name));
    }
  return [...users].flatMap(([place, names]) => {
    if (names.size < 2) return [];
    const all = [...names].toSorted();
    const isMixed = mixesProduction(all);
    return all.map((environment): PostureFinding => {
      const others = all.filter((name) => name !== environment).map((name) => (isShown(name) ? name : "another"));
      return findingOf("environments_share_server", {
        severity: isMixed ? "high" : "medium",
        state: isMixed ? "wrong" : "note",
        environment,
        subject: `upstream:${place}`,
        says: `${environment} shares the model server ${place} with ${[...new Set(others)].join(", ")}: they have its models and its load in common`,
        evidence: [`upstreams of ${environment} and of ${[...new Set(others)].join(", ")} lead to ${place}`],
        remedy:
          "give each its own model server in the policy file (another OLLAMA_HOST port and OLLAMA_MODELS are enough): sallyport apply -f policy.yaml",
      });
    });
  });
}
