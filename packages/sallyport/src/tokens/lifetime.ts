/**
 * How long a token lives: the environment's default, shortened by the harm it could do and lengthened by what makes
 * theft useless, between one minute and twelve hours. A pure function, so that `explain` can show it. A token never
 * lives longer than requested, nor longer than its key.
 */
import type { DataPermission } from "@sallyport/protocol";
import { formatDurationMs } from "@sallyport/contract";

export interface LifetimeQuestion {
  /** The environment's `tokens.ttl`, ms. */
  readonly usualMs: number;
  readonly permissions: readonly DataPermission[];
  /** It must prove possession of a key with each use, or each of its requests must be signed. */
  readonly isBound: boolean;
  /** Some list of networks binds its key. */
  readonly isNetworkBound: boolean;
  /** A person or workload proved a short while ago who it is. */
  readonly isIdentified: boolean;
  /** How much of its longest life the key's secret has behind it, 0 to 1. */
  readonly keyAge: number;
  /** Something was noticed about the key: a replaced secret was used, or a risk was raised. */
  readonly isSuspect: boolean;
  /** What was asked for, ms; null = nothing. */
  readonly askedMs: number | null;
  /** What is left of the key, ms. */
  readonly keyLeftMs: number;
}

export interface Lifetime {
  readonly ms: number;
  /** The sum, one line a step. */
  readonly because: readonly string[];
}

export const LIFETIME_MIN_MS = 60_000;
export const LIFETIME_MAX_MS = 12 * 3_600_000;

/** What changes or spends something that others need. */
const HARMFUL =
  /^(?:models:(?:pull|push|create|copy|delete|pull-insecure)|runtime:(?:unload|pin)|cloud:|account:|debug:|blobs:write)/;
const READS: readonly DataPermission[] = ["server:health", "server:status", "models:list", "runtime:ps", "usage:read"];
/** From here on a key is due for rotation. */
const OLD_KEY = 0.85;

export function tokenLifetime(question: LifetimeQuestion): Lifetime {
  const because = [`the environment's usual time is ${formatDurationMs(question.usualMs)}`];
  let ms = question.usualMs;
  for (const { factor, says } of steps(question)) {
    ms *= factor;
    because.push(`${says}: x ${factor}`);
  }
  const bounds: readonly (readonly [number, string])[] = [
    [LIFETIME_MAX_MS, "no token lives longer than 12h"],
    ...(question.askedMs === null ? [] : [[question.askedMs, "no more was asked for"] as const]),
  ];
  for (const [mostMs, says] of bounds) {
    if (ms <= mostMs) continue;
    ms = mostMs;
    because.push(says);
  }
  if (ms < LIFETIME_MIN_MS) {
    ms = LIFETIME_MIN_MS;
    because.push("no token lives shorter than 1m");
  }
  if (ms > question.keyLeftMs) {
    ms = Math.max(0, question.keyLeftMs);
    because.push("no token outlives its key");
  }
  ms = Math.floor(ms / 1_000) * 1_000;
  return { ms, because: [...because, `so it lives ${ms === 0 ? "not at all" : formatDurationMs(ms)}`] };
}

function steps(question: LifetimeQuestion): { readonly factor: number; readonly says: string }[] {
  const { permissions, isBound, isNetworkBound, isIdentified, keyAge, isSuspect } = question;
  const harmful = permissions.find((permission) => HARMFUL.test(permission));
  const isReading = permissions.every((permission) => READS.includes(permission));
  return [
    ...(harmful === undefined ? [] : [{ factor: 0.25, says: `${harmful} can do harm to others` }]),
    ...(isReading ? [{ factor: 2, says: "it only reads" }] : []),
    ...(isBound ? [{ factor: 4, says: "a thief of the token alone cannot use it" }] : []),
    ...(isNetworkBound ? [{ factor: 2, says: "its key is bound to networks" }] : []),
    ...(isIdentified ? [{ factor: 2, says: "the identity was proved recently" }] : []),
    ...(keyAge >= OLD_KEY ? [{ factor: 0.5, says: "the key is due for rotation" }] : []),
    ...(isSuspect ? [{ factor: 0.1, says: "something was noticed about the key" }] : []),
  ];
}
