/** A key as the store keeps it. The secret is not in it: only a keyed hash of the whole key text. */
import type { AdminRight, Limits, RightSpec } from "../access/policy.ts";

/** `active` is the only state that opens anything; `revoked` is final. Expiry is a time, not a state. */
export type KeyState = "active" | "suspended" | "revoked";

export interface KeyRecord {
  /** 12 base62 characters, unique within its environment. */
  readonly id: string;
  /** The environment, or the reserved realm `system` for admin keys. */
  readonly environment: string;
  readonly name: string;
  /** Principal id; null only for admin keys. */
  readonly owner: string | null;
  readonly state: KeyState;
  /** HMAC-SHA-256 of the whole key text under the environment's pepper; 32 bytes. */
  readonly hash: Uint8Array;
  readonly pepperVersion: number;
  /** Ceiling of an API key; never widened after issue. For admin keys it is empty. */
  readonly ceiling: RightSpec;
  readonly limits: Limits;
  /** Admin keys only. */
  readonly admin: AdminRight | null;
  /** Epoch ms. */
  readonly createdAt: number;
  /** Epoch ms; null only for admin keys (the recovery key). */
  readonly expiresAt: number | null;
  readonly createdBy: string;
}

/** The reserved realm of admin keys: no environment of policy may have this name. */
export const SYSTEM_REALM = "system";
