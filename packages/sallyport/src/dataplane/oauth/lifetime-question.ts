/** What the sum of a token's life is asked about: the environment, the key, and what was presented. */
import type { DataPermission } from "@sallyport/protocol";
import type { Presented } from "../../access/door.ts";
import type { EffectiveRight } from "../../access/snapshot.ts";
import { currentSecret } from "../../keys/key.ts";
import type { KeyRecord } from "../../keys/key.ts";
import type { LifetimeQuestion } from "../../tokens/lifetime.ts";

export interface TokenCircumstances {
  readonly key: KeyRecord;
  readonly right: EffectiveRight;
  readonly permissions: readonly DataPermission[];
  readonly presented: Presented;
  /** The token must prove possession of a key with each use. */
  readonly isBound: boolean;
  readonly askedMs: number | null;
  readonly keyLeftMs: number;
  /** Epoch ms. */
  readonly now: number;
}

export function lifetimeQuestion(said: TokenCircumstances): LifetimeQuestion {
  const { key, right, permissions, presented, isBound, askedMs, keyLeftMs, now } = said;
  const { createdAt, expiresAt } = currentSecret(key);
  const doors = right.doors.flatMap(({ require }) => require);
  return {
    usualMs: right.environment.tokens.ttlMs,
    permissions,
    isBound: isBound || doors.includes("signature"),
    isNetworkBound: right.doors.some(({ networks }) => networks !== null),
    isIdentified: presented.isIdentified,
    keyAge: expiresAt === null ? 0 : Math.min(1, (now - createdAt) / Math.max(1, expiresAt - createdAt)),
    isSuspect: key.frozenAt !== null,
    askedMs,
    keyLeftMs,
  };
}
