/** Roles that grant more, in an environment, than the keys that hold them have used in the time that is known. Pure, in slices. */
import type { DataPermission } from "@sallyport/protocol";
import type { LongWork } from "../../kernel/long-work.ts";
import { holdingsOf } from "../holding.ts";
import type { UseSurvey } from "../permission-uses.ts";
import type { Environment, Role } from "../policy.ts";
import type { Snapshot } from "../snapshot.ts";
import { findingOf } from "./posture-finding.ts";
import type { JudgedKey, PostureFinding } from "./posture-finding.ts";

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

/** What is known of all keys that hold a role in an environment. */
interface RoleUse {
  isHeldLong: boolean;
  readonly used: Set<string>;
}

export class RoleUses {
  readonly #snapshot: Snapshot;
  readonly #survey: UseSurvey;
  readonly #days: number;
  /** Keys that were made later have not had their roles long enough to have needed all of them. */
  readonly #oldest: number;
  /** Permissions by `environment/id` of the key. */
  readonly #used = new Map<string, Set<string>>();
  /** By environment and each role that stands on a key there, or is its owner's there. */
  readonly #held = new Map<string, Map<Role, RoleUse>>();

  constructor(snapshot: Snapshot, survey: UseSurvey) {
    this.#snapshot = snapshot;
    this.#survey = survey;
    this.#days = Math.floor((survey.to - survey.from) / DAY_MS);
    this.#oldest = survey.to - PERIOD_MIN_DAYS * DAY_MS;
  }

  /** Reads the survey, before the first key. */
  read(work: LongWork): Promise<void> {
    return work.each(this.#survey.uses, ({ environment, key, permission }) => {
      const name = `${environment}/${key}`;
      const permissions = this.#used.get(name);
      if (permissions) permissions.add(permission);
      else this.#used.set(name, new Set([permission]));
    });
  }

  note(key: JudgedKey): void {
    const snapshot = this.#snapshot;
    const owner = key.owner === null ? undefined : snapshot.principals.get(key.owner);
    const live = owner ? holdingsOf(owner, snapshot).filter(({ environment }) => environment === key.environment) : [];
    for (const name of new Set([...key.ceiling.roles, ...live.flatMap(({ right }) => right.roles)])) {
      const role = snapshot.roles.get(name);
      if (!role) continue;
      const byRole = this.#held.get(key.environment) ?? new Map<Role, RoleUse>();
      this.#held.set(key.environment, byRole);
      const use = byRole.get(role) ?? { isHeldLong: false, used: new Set() };
      byRole.set(role, use);
      if (key.state !== "revoked" && key.createdAt <= this.#oldest) use.isHeldLong = true;
      for (const permission of this.#used.get(`${key.environment}/${key.id}`) ?? []) use.used.add(permission);
    }
  }

  findings(): PostureFinding[] {
    const findings: PostureFinding[] = [];
    for (const environment of this.#snapshot.environments.values()) {
      const byRole = this.#held.get(environment.name);
      if (!byRole) continue;
      if (this.#days < PERIOD_MIN_DAYS) findings.push(unknown(environment.name, this.#days));
      else
        for (const [role, use] of byRole)
          if (use.isHeldLong) findings.push(...excess(role, environment, use.used, this.#days));
    }
    return findings;
  }
}

function excess(role: Role, { name, cloud }: Environment, used: ReadonlySet<string>, days: number): PostureFinding[] {
  const granted = new Set(role.grants.flatMap(({ permissions }) => permissions));
  const unused = [...granted].filter(
    (permission) =>
      !used.has(permission) && !UNSEEN.has(permission) && !(permission.startsWith("cloud:") && cloud === "deny"),
  );
  if (unused.length === 0) return [];
  const needed = [...granted].filter((permission) => used.has(permission));
  return [
    findingOf("role_wider_than_use", {
      environment: name,
      subject: `role:${role.name}`,
      says: `the role ${role.name} grants ${unused.join(", ")} in ${name}, which no holder of it has used in ${days} days`,
      evidence: [`used in ${days} days: ${needed.join(", ") || "nothing"}`, `not used: ${unused.join(", ")}`],
      remedy:
        needed.length === 0
          ? `take the role away in ${name}: nothing it grants was used`
          : `use a role there that grants ${needed.join(", ")} alone`,
    }),
  ];
}

function unknown(environment: string, days: number): PostureFinding {
  return findingOf("role_use_unknown", {
    state: "ok",
    environment,
    subject: `environment:${environment}`,
    says: `which roles of ${environment} grant too much is reported when the history covers ${PERIOD_MIN_DAYS} days; now it is ${days}`,
    remedy: "",
  });
}
