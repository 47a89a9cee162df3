/**
 * A user's keys, as their log-in sees them: those of its environment that were issued to the user. The user can list
 * them and reactivate one that only inactivity has suspended. Ownership and permission are checked in the turn of the
 * change.
 */
import type { Refusal } from "@sallyport/protocol";
import { isRefusal, Problem, refuse } from "@sallyport/protocol";
import type { KeyLife } from "../access/policy.ts";
import { stateRefusal } from "./directory.ts";
import { idleSinceOf } from "./disuse.ts";
import type { KeyRecord } from "./key.ts";
import { currentSecret, expiryOf } from "./key.ts";
import type { KeyLifecycle, LifecyclePorts } from "./lifecycle.ts";
import { refuseOwnResume } from "./own-resume.ts";
import type { LastUses } from "./secret-machine.ts";

export interface OwnKeysPorts extends Pick<LifecyclePorts, "clock" | "keys" | "uses" | "life"> {
  /** The owner is there and may act in the environment. */
  readonly hasOwner: (principal: string, environment: string) => boolean;
  readonly lifecycle: Pick<KeyLifecycle, "resumeIf">;
  readonly listKeys: (filter: {
    environment: string;
    owner: string;
    after?: string;
    limit: number;
  }) => readonly KeyRecord[];
}

/** A log-in, by the key it is. */
export interface LogIn {
  readonly environment: string;
  readonly id: string;
}

export interface OwnKey {
  readonly key: KeyRecord;
  /** Epoch ms; null = never. */
  readonly lastUsedAt: number | null;
  readonly next: NextStep | null;
  readonly isResumable: boolean;
}

const PAGE = 500;

export class OwnKeys {
  readonly #ports: OwnKeysPorts;

  constructor(ports: OwnKeysPorts) {
    this.#ports = ports;
  }

  /** Those that are not over. Denies with `session_missing`, or as for a key whose state or owner has changed. */
  async list(logIn: LogIn): Promise<readonly OwnKey[] | Refusal> {
    const owner = this.#ownerOf(logIn);
    if (typeof owner !== "string") return owner;
    const { environment } = logIn;
    const found: OwnKey[] = [];
    let after: string | undefined;
    for (;;) {
      const page = this.#ports.listKeys({ environment, owner, ...(after === undefined ? {} : { after }), limit: PAGE });
      for (const key of page) if (isHis(key, owner) && key.state !== "revoked") found.push(this.#look(key));
      const last = page.at(-1);
      if (!last || page.length < PAGE) return found;
      after = `${last.environment}/${last.id}`;
      // Log-ins of years are among them: requests come first.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /**
   * Reactivates the key and restarts its inactivity period; an active key is unchanged. Denies with `not_found` for
   * every id that is not the user's, `resume_denied` for a key that was not suspended for inactivity, `resume_spent` a
   * second time without a use.
   */
  async resume(logIn: LogIn, id: string, address: string): Promise<OwnKey | Refusal> {
    const { environment } = logIn;
    const asked = this.#ownerOf(logIn);
    if (typeof asked !== "string") return asked;
    const order = { environment, id, actor: `principal:${asked}`, fields: { session: logIn.id, address } };
    const resumed = await this.#ports.lifecycle.resumeIf(order, (key) => {
      // Checked again, in its turn: the user may have been disabled, or the log-in have ended, while it waited.
      const owner = this.#ownerOf(logIn);
      if (typeof owner !== "string") return owner;
      if (!key || !isHis(key, owner)) return refuse("not_found");
      const uses = this.#usesOf(key);
      return uses ? refuseOwnResume(key, uses) : refuse("record_damaged");
    });
    return isRefusal(resumed) ? resumed : this.#look(resumed);
  }

  /** The person behind a log-in that is live. */
  #ownerOf({ environment, id }: LogIn): string | Refusal {
    const key = this.#ports.keys.find(environment, id);
    if (!key?.session || key.owner === null) return refuse("session_missing");
    const ended = stateRefusal(key, currentSecret(key), this.#ports.clock.now());
    if (ended) return ended;
    return this.#ports.hasOwner(key.owner, environment) ? key.owner : refuse("owner_disabled");
  }

  #look(key: KeyRecord): OwnKey {
    const life = this.#ports.life(key.environment)?.keyLife;
    const uses = this.#usesOf(key);
    if (!life || !uses) return { key, lastUsedAt: null, next: null, isResumable: false };
    const lastUsedAt = uses.size === 0 ? null : Math.max(...uses.values());
    const isResumable = key.state === "suspended" && refuseOwnResume(key, uses) === undefined;
    return { key, lastUsedAt, next: nextStep(key, life, uses, this.#ports.clock.now()), isResumable };
  }

  /** Undefined where what is stored of them is damaged. */
  #usesOf({ environment, id }: KeyRecord): LastUses | undefined {
    try {
      return this.#ports.uses.lastUses(environment, id);
    } catch (problem) {
      if (!(problem instanceof Problem) || problem.code !== "record_damaged") throw problem;
      return undefined;
    }
  }
}

/** Issued to the user: a log-in is not a key to keep. */
function isHis(key: KeyRecord, owner: string): boolean {
  return key.owner === owner && key.session === null;
}

interface NextStep {
  readonly action: "suspend" | "expire" | "revoke";
  readonly code: "key_never_used" | "key_unused" | "key_expired";
  /** Epoch ms; in the past for what the next run of the inactivity policy does. */
  readonly at: number;
}

/**
 * The next step; null if nothing is due. Notices do not change what the key can do and are omitted. A canary key looks
 * like any other key, because its owner reads this.
 */
export function nextStep(key: KeyRecord, life: KeyLife, uses: LastUses, now: number): NextStep | null {
  if (key.state === "revoked") return null;
  const { usedAt, since } = idleSinceOf(key, uses);
  const steps: NextStep[] = [];
  const disuse = (action: NextStep["action"], code: NextStep["code"], lengthMs: number): void => {
    if (lengthMs > 0) steps.push({ action, code, at: since + lengthMs });
  };
  if (key.state === "active") {
    if (usedAt === 0) disuse("suspend", "key_never_used", life.neverUsedMs);
    disuse("suspend", "key_unused", life.idleMs);
  }
  disuse("revoke", "key_unused", life.destroyMs);
  const expiresAt = expiryOf(key);
  if (expiresAt !== null) {
    if (expiresAt > now) steps.push({ action: "expire", code: "key_expired", at: expiresAt });
    steps.push({ action: "revoke", code: "key_expired", at: expiresAt + life.rotateWithinMs });
  }
  return steps.reduce<NextStep | null>((first, step) => (first === null || step.at < first.at ? step : first), null);
}
