/**
 * A replacement for a leaked key: same scope, owner, limits, networks and conditions, a new secret. What a thief may
 * have added to the old one is not copied: signers, workloads and URL tokens are added again by those who know them.
 */
import { Problem } from "@sallyport/protocol";
import { KEY_AGE_MAX_MS } from "../../access/policy.ts";
import type { LedgerEvent } from "../../audit/event.ts";
import { issueKey } from "../../keys/issue.ts";
import type { IssuedKey } from "../../keys/issue.ts";
import type { KeyRecord } from "../../keys/key.ts";
import { eventOf } from "../call.ts";
import type { AnyCall } from "../call.ts";

export interface Reissued extends IssuedKey {
  /** Epoch ms. */
  readonly expiresAt: number;
  readonly owner: string;
  readonly event: LedgerEvent;
}

/** Throws `permission_denied`, `grant_exceeds_issuer` (R6), and `conflict` for a key that cannot be made again. */
export function reissueKey(call: AnyCall, old: KeyRecord): Reissued {
  const { ports, caller } = call;
  const { right, actor } = caller.issuer;
  const { environment, name, owner, ceiling, limits, networks, binding, require, isDecoy } = old;
  if (!right.permissions.includes("keys:issue")) throw new Problem("permission_denied", "keys:issue");
  const snapshot = ports.snapshot();
  if (old.session) throw new Problem("key_is_session");
  const principal = owner === null ? undefined : snapshot.principals.get(owner);
  if (owner === null || !principal || principal.isDisabled)
    throw new Problem("conflict", "the key's owner is gone or disabled: there is no one to give another key to");
  const now = ports.clock.now();
  const maxMs = snapshot.environments.get(environment)?.keyMaxAgeMs ?? KEY_AGE_MAX_MS;
  const expiresAt = Math.min(now + Math.min(old.lifetimeMs ?? maxMs, maxMs), caller.expiresAt ?? Infinity);
  const order = { environment, name, owner, ceiling, limits, createdAt: now, createdBy: actor, expiresAt, isDecoy };
  // A network bound by the first use may be the thief's as well as the owner's: it is bound again.
  const factors = { networks: binding === "first_use" ? null : networks, binding, require };
  const issued = issueKey({ ...order, factors }, ports.peppers);
  const event = eventOf(call, "key.issued", environment, {
    key: issued.record.id,
    name,
    owner,
    roles: ceiling.roles,
    allow: ceiling.allow,
    models: ceiling.models ?? [],
    networks: factors.networks ?? ["anywhere"],
    require,
    expires_at: expiresAt,
    replaces: old.id,
    ...(isDecoy ? { decoy: true } : {}),
  });
  return { ...issued, expiresAt, owner, event };
}
