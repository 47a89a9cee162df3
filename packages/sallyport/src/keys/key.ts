/**
 * A key as the store keeps it, with its secrets: two machines. The key is active, suspended or revoked; each of its
 * secrets is pending, active, overlapping or destroyed (`secret-machine.ts`). No secret's text is in it, only keyed hashes.
 */
import type { Factor } from "@sallyport/protocol";
import type { WorkloadTrust } from "../tokens/workload-trust.ts";
import type { Boundary } from "../access/rightsizing/boundary.ts";
import type { AdminRight, Limits, RightSpec, Voucher } from "../access/policy.ts";

/** `active` is the only state that opens anything; `revoked` is final. Expiry is a time, not a state. */
export type KeyState = "active" | "suspended" | "revoked";

/**
 * `pending`: made by a rotation and not used yet; works. `active`: the one in use. `overlapping`: replaced, and works
 * until `endsAt`. `destroyed`: final; kept for a while so that its use is noticed.
 */
export type SecretState = "pending" | "active" | "overlapping" | "destroyed";

export interface KeySecret {
  /** 1, 2, 3…: which of the key's secrets, in the order they were made. */
  readonly generation: number;
  readonly state: SecretState;
  /** HMAC-SHA-256 of the whole key text under the environment's pepper; 32 bytes. */
  readonly hash: Uint8Array;
  readonly pepperVersion: number;
  /** Epoch ms. */
  readonly createdAt: number;
  /** Epoch ms; null only for the recovery admin key. */
  readonly expiresAt: number | null;
  /** Of an overlapping secret: the latest end. Epoch ms. */
  readonly endsAt: number | null;
}

/** A rotation under way: from the making of the new secret until the old one has ended. */
export interface Rotation {
  /** Who began it, as recorded. */
  readonly by: string;
  readonly startedAt: number;
  /** How long the old secret works after the first use of the new one, ms. */
  readonly graceMs: number;
  /** Whatever else: the pending secret is gone and the overlap over by then. Epoch ms. */
  readonly capAt: number;
  readonly firstUsedAt: number | null;
  /**
   * The new secret, encrypted under the caller's idempotency key, until `until` or the first use; null = no longer
   * readable.
   */
  readonly sealed: { readonly text: string; readonly until: number } | null;
}

export interface KeyRecord extends KeyFactors {
  /** 12 base62 characters, unique within its environment. */
  readonly id: string;
  /** The environment, or the reserved realm `system` for admin keys. */
  readonly environment: string;
  readonly name: string;
  /** Principal id; null only for admin keys. */
  readonly owner: string | null;
  readonly state: KeyState;
  /** Why it is suspended or revoked, as a code (`by_administrator`, `unused`…); null while active. */
  readonly reason: string | null;
  /** In order of generation; at most two that work. */
  readonly secrets: readonly KeySecret[];
  readonly rotation: Rotation | null;
  /** When the last rotation began, epoch ms; null = never rotated. */
  readonly rotatedAt: number | null;
  /** A destroyed secret was used: the key may not rotate itself until an administrator rotated it. Epoch ms. */
  readonly frozenAt: number | null;
  /** How long each of its secrets lives, ms; null only for the recovery admin key. */
  readonly lifetimeMs: number | null;
  /** Notices given about its present secret and its use, so that each is given once. */
  readonly told: readonly string[];
  /**
   * The start of the inactivity period of a key that was never used: its creation, or its last reactivation. Epoch ms.
   */
  readonly idleSince: number;
  /** Scope of an API key; never widened after issue. For admin keys it is empty. */
  readonly ceiling: RightSpec;
  /** What right-sizing leaves of the scope. Laid over the record where the key is looked up, never a part of its row. */
  readonly boundary?: Boundary;
  readonly limits: Limits;
  /** A canary key: no one has a reason to use it, and its first use raises an alert. */
  readonly isDecoy: boolean;
  /** The log-in it stands for; null for a key that was issued. */
  readonly session: KeySession | null;
  /** Admin keys only. */
  readonly admin: AdminRight | null;
  /** Epoch ms. */
  readonly createdAt: number;
  readonly createdBy: string;
}

/** A user's log-in, as the identity provider knows it. */
export interface KeySession {
  readonly issuer: string;
  readonly subject: string;
  readonly sid: string | null;
  /** When the user last proved their identity, epoch seconds. */
  readonly authenticatedAt: number;
  /** Who stands behind the log-in where it was not the provider: the session works only within that scope. */
  readonly voucher?: Voucher;
}

/** Access conditions of one key, in addition to those of its environment and roles. */
export interface KeyFactors {
  /** Where it may be used from (CIDR); null = anywhere. */
  readonly networks: readonly string[] | null;
  /** `first_use`: the network of its first use becomes the only one. */
  readonly binding: "first_use" | null;
  /** What each of its requests demands. Risk signals raise it here. */
  readonly require: readonly Factor[];
  /** Public keys whose signatures count as the key's. */
  readonly signers: readonly KeySigner[];
  /** For clients that can send no header; null = none. */
  readonly pathSecret: PathSecret | null;
  /** Workloads that may act as the key with tokens of their issuers. */
  readonly workloads: readonly WorkloadTrust[];
}

export interface KeySigner {
  /** The `keyid` of its signatures: fingerprint of the public key (`SHA256:…`), or of HMAC a name. */
  readonly id: string;
  /** `request`: RFC 9421, beside the key. `ollama`: the Ollama command line's own signature, instead of the key. */
  readonly use: "request" | "ollama";
  readonly algorithm: "ed25519" | "ecdsa-p256-sha256" | "hmac-sha256";
  /** SPKI in DER, base64; for HMAC the secret, encrypted. */
  readonly material: string;
  readonly createdAt: number;
  readonly createdBy: string;
}

/** A second text of the key that is valid in a path alone. It ends with the key's own secret. */
export interface PathSecret {
  readonly hash: Uint8Array;
  readonly pepperVersion: number;
  readonly createdAt: number;
}

type What = Pick<
  KeyRecord,
  "id" | "environment" | "name" | "owner" | "ceiling" | "limits" | "admin" | "createdAt" | "createdBy"
> & { readonly session?: KeySession | null; readonly isDecoy?: boolean };

const NO_FACTORS: KeyFactors = {
  networks: null,
  binding: null,
  require: [],
  signers: [],
  pathSecret: null,
  workloads: [],
};

/** A new key with its first secret, active at once. */
export function newKey(
  what: What,
  first: Pick<KeySecret, "hash" | "pepperVersion" | "expiresAt">,
  factors: Partial<KeyFactors> = {},
): KeyRecord {
  const { createdAt } = what;
  return {
    ...what,
    session: what.session ?? null,
    isDecoy: what.isDecoy ?? false,
    ...NO_FACTORS,
    ...factors,
    state: "active",
    reason: null,
    secrets: [{ ...first, generation: 1, state: "active", createdAt, endsAt: null }],
    rotation: null,
    rotatedAt: null,
    frozenAt: null,
    lifetimeMs: first.expiresAt === null ? null : first.expiresAt - createdAt,
    told: [],
    idleSince: createdAt,
  };
}

export function factorsOf({ networks, binding, require, signers, pathSecret, workloads }: KeyRecord): KeyFactors {
  return { networks, binding, require, signers, pathSecret, workloads };
}

/** The secret in use: the active one, or of a key without one the newest. */
export function currentSecret(key: KeyRecord): KeySecret {
  const found = key.secrets.find((secret) => secret.state === "active") ?? key.secrets.at(-1);
  if (!found) throw new TypeError(`key ${key.id} has no secret`);
  return found;
}

/** When the secret in use ends, epoch ms; null for the recovery key alone. */
export function expiryOf(key: KeyRecord): number | null {
  return currentSecret(key).expiresAt;
}
