/** When an owner may reactivate a key: once after inactivity, and not again before a use. Pure. */
import { isDisuseReason, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import { idleSinceOf } from "./disuse.ts";
import type { KeyRecord } from "./key.ts";
import type { LastUses } from "./secret-machine.ts";

/** Undefined for a key that its owner may reactivate, and for an active one: a repetition changes nothing. */
export function refuseOwnResume(key: KeyRecord, uses: LastUses): Refusal | undefined {
  if (key.state === "active") return undefined;
  if (!isSuspendedForDisuse(key)) return refuse("resume_denied");
  const { usedAt } = idleSinceOf(key, uses);
  // While it is suspended nothing counts as a use: one as late as the last resumption came after it.
  const isFirst = key.idleSince === key.createdAt;
  return isFirst || usedAt >= key.idleSince ? undefined : refuse("resume_spent");
}

/**
 * An administrator who suspends such a key for another reason overwrites the reason: its owner must not take it for
 * inactivity.
 */
export function isSuspendedForDisuse({ state, reason }: Pick<KeyRecord, "state" | "reason">): boolean {
  return state === "suspended" && isDisuseReason(reason);
}
