/**
 * What an exchange may do under a snapshot: its key's effective permissions, restricted to its token if it came with
 * one.
 */
import { tokenGrant } from "../access/compiled-grant.ts";
import type { CompiledGrant } from "../access/compiled-grant.ts";
import type { EffectiveRight, Snapshot } from "../access/snapshot.ts";
import type { KeyRecord } from "../keys/key.ts";
import type { Token } from "../tokens/token.ts";

const narrowed = new WeakMap<Token, readonly CompiledGrant[]>();

/** Undefined if the key's environment does not exist (any more). */
export function rightOf(snapshot: Snapshot, key: KeyRecord, token: Token | null): EffectiveRight | undefined {
  const right = snapshot.rightOf(key);
  return !right || token === null ? right : narrowTo(right, token);
}

export function narrowTo(right: EffectiveRight, token: Token): EffectiveRight {
  let grants = narrowed.get(token);
  if (!grants) {
    grants = [tokenGrant(token.permissions, token.models)];
    narrowed.set(token, grants);
  }
  return { ...right, token: grants };
}
