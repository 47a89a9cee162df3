/** What an exchange may do under a snapshot: its key's effective right, narrowed to its token where it came with one. */
import { tokenGrant } from "../access/compiled-grant.ts";
import type { CompiledGrant } from "../access/compiled-grant.ts";
import type { EffectiveRight, Snapshot } from "../access/snapshot.ts";
import type { KeyRecord } from "../keys/key.ts";
import type { Token } from "../tokens/token.ts";

const narrowed = new WeakMap<Token, readonly CompiledGrant[]>();

/** Undefined where the key's environment is not there (any more). */
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
