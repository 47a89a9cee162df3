/** Roles that grant more, in an environment, than the keys that hold them have used in the time that is known. Pure, in slices. */
import type { DataPermission } from "@sallyport/protocol";
import type { LongWork } from "../kernel/long-work.ts";
import { holdingsOf } from "./holding.ts";
import type { PolicyFacts, PolicyFinding } from "./policy-finding.ts";
import type { Environment, Role } from "./policy.ts";
import type { Snapshot } from "./snapshot.ts";

const DAY_MS = 86_400_000;
/** What is used once a month must not look unused. */
export const PERIOD_MIN_DAYS = 30;

/** Permissions whose use leaves no separate trace: nothing can be said about them. */
const UNSEEN: ReadonlySet<DataPermission> = new Set<DataPermission>([
  "server:health",
  "self:rotate",
  "usage:read",
  "runtime:pin",
  "infer:override",
]);

export async function roleFindings({ snapshot, keys, survey }: PolicyFacts, work: LongWork): Promise<PolicyFinding[]> {
  const days = Math.floor((survey.to - survey.from) / DAY_MS);
  const used = new Map<string, Set<string>>();
  await work.each(survey.uses, ({ environment, key, permission }) => {
    const name = `${environment}/${key}`;
    const permissions = used.get(name);
    if (permissions) permissions.add(permission);
    else used.set(name, new Set([permission]));
  });
  // Otherwise no holder has had the role long enough to have needed all of it.
  const oldest = survey.to - PERIOD_MIN_DAYS * DAY_MS;
  const held = await rolesInUse(snapshot, keys, { used, oldest }, work);
  const findings: PolicyFinding[] = [];
  for (const environment of snapshot.environments.values()) {
    const byRole = held.get(environment.name);
    if (!byRole) continue;
    if (days < PERIOD_MIN_DAYS) findings.push(unknown(environment.name, days));
    else
      for (const [role, use] of byRole) if (use.isHeldLong) findings.push(...excess(role, environment, use.used, days));
  }
  return findings;
}

/** What is known of all keys that hold a role in an environment. */
interface RoleUse {
  isHeldLong: boolean;
  readonly used: Set<string>;
}

interface KnownUses {
  /** Permissions by `environment/id` of the key. */
  readonly used: ReadonlyMap<string, ReadonlySet<string>>;
  /** Keys that were made later have not had their roles for long. */
  readonly oldest: number;
}

/** By environment and each role that stands on a key there, or is its owner's there. */
async function rolesInUse(
  snapshot: Snapshot,
  keys: PolicyFacts["keys"],
  { used, oldest }: KnownUses,
  work: LongWork,
): Promise<ReadonlyMap<string, ReadonlyMap<Role, RoleUse>>> {
  const held = new Map<string, Map<Role, RoleUse>>();
  for await (const key of keys) {
    const owner = key.owner === null ? undefined : snapshot.principals.get(key.owner);
    const live = owner ? holdingsOf(owner, snapshot).filter(({ environment }) => environment === key.environment) : [];
    for (const name of new Set([...key.ceiling.roles, ...live.flatMap(({ right }) => right.roles)])) {
      const role = snapshot.roles.get(name);
      if (!role) continue;
      const byRole = held.get(key.environment) ?? new Map<Role, RoleUse>();
      held.set(key.environment, byRole);
      const use = byRole.get(role) ?? { isHeldLong: false, used: new Set() };
      byRole.set(role, use);
      if (key.state !== "revoked" && key.createdAt <= oldest) use.isHeldLong = true;
      for (const permission of used.get(`${key.environment}/${key.id}`) ?? []) use.used.add(permission);
    }
    const resting = work.rest();
    if (resting) await resting;
  }
  return held;
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
      says: `the role ${role.name} grants ${unused.join(", ")} in ${name}, which no holder of it has used in ${days} days`,
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
    says: `which roles of ${environment} grant too much is reported when the history covers ${PERIOD_MIN_DAYS} days; now it is ${days}`,
    remedy: "",
  };
}
