/** What becomes of one key when something has happened to its owner, by the policy of the key's environment. Pure. */
import { isDisuseReason } from "@sallyport/protocol";
import type { Fate, KeyFate } from "../access/policy.ts";
import type { KeyRecord } from "../keys/key.ts";

/** Stored with the key and in the audit log. */
export type FateReason =
  | "owner_credentials_revoked"
  | "owner_left"
  | "role_lost"
  | "owner_at_risk"
  | "owner_signed_out";

export interface OwnerTrouble {
  readonly isLeft: boolean;
  readonly isSignedOut: boolean;
  readonly areCredentialsRevoked: boolean;
  readonly isAtRisk: boolean;
  /** What the key made use of and the owner has no more. */
  readonly lost: readonly string[];
}

const GRAVITY: Readonly<Record<Fate, number>> = { keep: 0, signature: 1, suspend: 2, revoke: 3 };

/** The gravest that applies and is not so already; undefined for nothing to do. */
export function fateOf(
  key: Pick<KeyRecord, "state" | "reason" | "require">,
  fate: KeyFate,
  trouble: OwnerTrouble,
): { readonly fate: Exclude<Fate, "keep">; readonly reason: FateReason } | undefined {
  const due: [FateReason, Fate][] = [];
  if (trouble.areCredentialsRevoked) due.push(["owner_credentials_revoked", "revoke"]);
  if (trouble.isLeft) due.push(["owner_left", fate.onLeave]);
  if (trouble.lost.length > 0) due.push(["role_lost", fate.onRoleLost]);
  if (trouble.isAtRisk) due.push(["owner_at_risk", fate.onRisk]);
  if (trouble.isSignedOut) due.push(["owner_signed_out", fate.onSignOut]);
  let gravest: [FateReason, Fate] | undefined;
  for (const one of due) if (!gravest || GRAVITY[one[1]] > GRAVITY[gravest[1]]) gravest = one;
  if (!gravest || gravest[1] === "keep" || isSo(key, gravest[1])) return undefined;
  return { reason: gravest[0], fate: gravest[1] };
}

/** Suspended for inactivity does not count: its owner could undo that. */
function isSo({ state, reason, require }: Pick<KeyRecord, "state" | "reason" | "require">, fate: Fate): boolean {
  if (state === "revoked") return true;
  if (fate === "signature") return require.includes("signature");
  return fate === "suspend" && state === "suspended" && !isDisuseReason(reason);
}
