/** Roles that grant more, in an environment, than the keys that hold them have used in the time that is known. Pure. */
import type { DataPermission } from "@sallyport/protocol";
import { holds } from "./holding.ts";
import type { HeldKey, PolicyFacts, PolicyFinding } from "./policy-findings.ts";
import type { Environment, Role } from "./policy.ts";
import type { Snapshot } from "./snapshot.ts";

const DAY_MS = 86_400_000;
/** What is used once a month must not look unused. */
export const PERIOD_MIN_DAYS = 30;

/** Permissions whose use leaves no trace of its own: nothing can be said of them. */
const UNSEEN: ReadonlySet<DataPermission> = new Set<DataPermission>([
  "server:health",
  "self:rotate",
  "usage:read",
  "runtime:pin",
  "infer:override",
]);

export function roleFindings({ snapshot, keys, survey }: PolicyFacts): PolicyFinding[] {
  const days = Math.floor((survey.to - survey.from) / DAY_MS);
  const used = new Map<string, Set<string>>();
  for (const { environment, key, permission } of survey.uses) {
    const name = `${environment}/${key}`;
    used.set(name, (used.get(name) ?? new Set()).add(permission));
  }
  return [...snapshot.environments.values()].flatMap((environment): PolicyFinding[] => {
    const holders = holdersByRole(snapshot, keys, environment.name);
    if (holders.size === 0) return [];
    if (days < PERIOD_MIN_DAYS) return [unknown(environment.name, days)];
    const oldest = survey.to - PERIOD_MIN_DAYS * DAY_MS;
    return [...holders].flatMap(([role, held]) => {
      // Nobody has had the role's right for long enough to have needed all of it.
      if (!held.some((key) => key.state !== "revoked" && key.createdAt <= oldest)) return [];
      const all = new Set(held.flatMap((key) => [...(used.get(`${key.environment}/${key.id}`) ?? [])]));
      return excess(role, environment, all, days);
    });
  });
}

/** By each role that stands on a key of the environment, or is its owner's there. */
function holdersByRole(snapshot: Snapshot, keys: readonly HeldKey[], environment: string): Map<Role, HeldKey[]> {
  const assigned = [...snapshot.assignments].filter((assignment) => assignment.environment === environment);
  const holders = new Map<Role, HeldKey[]>();
  for (const key of keys) {
    if (key.environment !== environment) continue;
    const owner = key.owner === null ? undefined : snapshot.principals.get(key.owner);
    const live = owner ? assigned.filter((assignment) => holds(owner, assignment, snapshot)) : [];
    for (const name of new Set([...key.ceiling.roles, ...live.flatMap(({ right }) => right.roles)])) {
      const role = snapshot.roles.get(name);
      if (role) holders.set(role, [...(holders.get(role) ?? []), key]);
    }
  }
  return holders;
}

function excess(role: Role, { name, cloud }: Environment, used: ReadonlySet<string>, days: number): PolicyFinding[] {
  const granted = new Set(role.grants.flatMap(({ permissions }) => permissions));
  const unused = [...granted].filter(
    (permission) =>
      !used.has(permission) && !UNSEEN.has(permission) && !(permission.startsWith("cloud:") && cloud === "deny"),
  );
  if (unused.length === 0) return [];
  const needed = [...granted].filter((permission) => used.has(permission));
  return [
    {
      code: "role_excess",
      state: "note",
      environment: name,
      says: `the role ${role.name} grants ${unused.join(", ")} in ${name}, which nobody who holds it has used in ${days} days`,
      remedy:
        needed.length === 0
          ? `take the role away in ${name}: nothing it grants was used`
          : `use a role there that grants ${needed.join(", ")} alone`,
    },
  ];
}

function unknown(environment: string, days: number): PolicyFinding {
  return {
    code: "role_use_unknown",
    state: "ok",
    environment,
    says: `which roles of ${environment} grant too much is told when uses are known for ${PERIOD_MIN_DAYS} days; now it is ${days}`,
    remedy: "",
  };
}
