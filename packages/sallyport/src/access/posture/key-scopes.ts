/** Findings about what keys may do, and which roles and limits keys have. One walk over all keys. */
import type { DataPermission } from "@sallyport/protocol";
import { isHeldAnywhere } from "../decide.ts";
import { holdingsOf } from "../holding.ts";
import type { Limits } from "../policy.ts";
import { isReaderName, isWide } from "./grant-findings.ts";
import { keySubject } from "./key-findings.ts";
import { findingOf, isProduction } from "./posture-finding.ts";
import type { JudgedKey, PolicyFacts, PostureFinding } from "./posture-finding.ts";

const CHATS: readonly DataPermission[] = ["infer:chat", "infer:generate"];
const INFERS: readonly DataPermission[] = [...CHATS, "infer:embed", "infer:audio"];
const MANAGES: readonly DataPermission[] = [
  "models:pull",
  "models:push",
  "models:create",
  "models:copy",
  "models:delete",
  "blobs:write",
];

export class KeyScopes {
  readonly #facts: Pick<PolicyFacts, "snapshot">;
  readonly #findings: PostureFinding[] = [];
  /** `environment/role` of keys that are not revoked. */
  readonly #roles = new Set<string>();
  /** Environments with an active key that has limits, by itself or by a role. */
  readonly #limited = new Set<string>();

  constructor(facts: Pick<PolicyFacts, "snapshot">) {
    this.#facts = facts;
  }

  note(key: JudgedKey): void {
    if (key.state === "revoked" || key.admin !== null) return;
    const { snapshot } = this.#facts;
    for (const role of key.ceiling.roles) this.#roles.add(`${key.environment}/${role}`);
    const owner = key.owner === null ? undefined : snapshot.principals.get(key.owner);
    const held = owner ? holdingsOf(owner, snapshot).filter((one) => one.environment === key.environment) : [];
    for (const { right } of held) for (const role of right.roles) this.#roles.add(`${key.environment}/${role}`);
    if (isLimited(key.limits)) this.#limited.add(key.environment);
    // A log-in's session has the person's permissions, which are judged where they are assigned.
    if (key.state === "active" && key.session === null) this.#findings.push(...this.#judge(key));
  }

  findings(): readonly PostureFinding[] {
    return this.#findings;
  }

  hasLimitedKey(environment: string): boolean {
    return this.#limited.has(environment);
  }

  /** Some key that is not revoked has the role there, by its scope or by its owner. */
  isRoleHeld(environment: string, role: string): boolean {
    return this.#roles.has(`${environment}/${role}`);
  }

  #judge(key: JudgedKey): PostureFinding[] {
    const { snapshot } = this.#facts;
    const right = snapshot.rightOf(key);
    if (!right) return [];
    const all: PostureFinding[] = [];
    const common = keySubject(key, snapshot);
    const may = (list: readonly DataPermission[]) => list.filter((permission) => isHeldAnywhere(right, permission));
    const chats = may(CHATS);
    const manages = may(MANAGES);
    const narrow = `create a key without them, then sallyport keys revoke ${key.id}`;
    if (chats.length > 0 && manages.length > 0)
      all.push(
        findingOf("chat_key_manages_models", {
          ...common,
          says: `the key ${key.name} may chat and may also do ${manages.join(", ")}`,
          evidence: [`its scope and its owner both grant ${[...chats, ...manages].join(", ")}`],
          remedy: narrow,
          since: key.createdAt,
        }),
      );
    const infers = may(INFERS);
    const isReader = key.ceiling.roles.includes("analytics") || isReaderName(key.name);
    if (isReader && infers.length > 0)
      all.push(
        findingOf("reader_infers", {
          ...common,
          says: `the key ${key.name} is for reading and may do ${infers.join(", ")}`,
          evidence: [`its scope: ${[...key.ceiling.roles, ...key.ceiling.allow].join(", ")}`],
          remedy: narrow,
          since: key.createdAt,
        }),
      );
    if (isProduction(key.environment) && right.ceiling.some(isWide) && right.live.some(isWide))
      all.push(
        findingOf("wildcard_in_prod", {
          ...common,
          state: "wrong",
          says: `the key ${key.name} may use any model of ${key.environment}: including models that are pulled later`,
          evidence: [`its model selectors: ${key.ceiling.models?.join(", ") ?? "none"}`],
          remedy: `create a key that names its models, then sallyport keys revoke ${key.id}`,
          since: key.createdAt,
        }),
      );
    return all;
  }
}

/** A weight or a priority is no limit. */
export function isLimited(limits: Limits): boolean {
  const { soft = [], weight: _weight, priority: _priority, ...bounds } = limits;
  const names = Object.keys(bounds).filter((name) => bounds[name as keyof typeof bounds] !== undefined);
  return names.some((name) => name !== "maxServiceMs" && !(soft as readonly string[]).includes(name));
}
