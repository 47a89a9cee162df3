/** What becomes of a key by itself if nobody uses it from now on, and when: pure, by the same lengths as the sweep. */
import type { KeyLife } from "../access/policy.ts";
import { idleSinceOf } from "./disuse.ts";
import { expiryOf } from "./key.ts";
import type { KeyRecord } from "./key.ts";
import type { LastUses } from "./secret-machine.ts";

export interface NextStep {
  readonly action: "suspend" | "expire" | "revoke";
  readonly code: "key_never_used" | "key_unused" | "key_expired";
  /** Epoch ms; in the past for what the next sweep does. */
  readonly at: number;
}

/**
 * The first of them; null where nothing is to come. Notices change nothing of what the key does and are left out. Bait is
 * told as any other key: its owner reads this.
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
