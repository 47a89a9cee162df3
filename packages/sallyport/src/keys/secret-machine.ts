/**
 * The life of a key's secrets as a state machine (R11): `pending -> active -> overlapping -> destroyed`. Pure: a record
 * and a moment in, a record out. A step that is not due gives the very record back, so a repeated or racing call changes
 * nothing. At most two secrets work, and from the making of a key to its revocation or expiry at least one does.
 */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { KeyRecord, KeySecret, Rotation } from "./key.ts";

/** Destroyed secrets that are still recognised; older ones are unknown. */
const DESTROYED_KEPT = 4;

/** Why the last rotation is not over. */
export const UNUSED = "the new secret of the last rotation has not been used yet, so the old one still works";

export interface RotationOrder {
  readonly by: string;
  /** Epoch ms. */
  readonly at: number;
  /** From the first use of the new secret; the hard cap bounds it. */
  readonly graceMs: number;
  /** From `at`: no overlap lasts longer, and a new secret that was not used by then is gone. */
  readonly capMs: number;
  readonly secret: Pick<KeySecret, "hash" | "pepperVersion" | "expiresAt">;
  readonly sealed: Rotation["sealed"];
  /**
   * Destroys a new secret that has not been used yet: a client may already hold it, so this happens only on request.
   */
  readonly restart?: boolean;
}

/**
 * Adds the new secret, pending. Denied while the last rotation is not over: then two secrets work, or one was never
 * used.
 */
export function beginRotation(key: KeyRecord, order: RotationOrder): KeyRecord | Refusal {
  if (key.state === "revoked") return refuse("key_revoked");
  const held = settle(key, order.at);
  if (held.secrets.some((secret) => secret.state === "overlapping")) return refuse("rotation_in_progress");
  if (!order.restart && held.secrets.some(({ state }) => state === "pending"))
    return refuse("rotation_in_progress", UNUSED);
  const next: KeySecret = {
    ...order.secret,
    generation: (held.secrets.at(-1)?.generation ?? 0) + 1,
    state: "pending",
    createdAt: order.at,
    endsAt: null,
  };
  const { by, at, graceMs, sealed } = order;
  return {
    ...held,
    secrets: [...kept(held.secrets.map((secret) => (secret.state === "pending" ? destroyed(secret) : secret))), next],
    rotation: { by, startedAt: at, graceMs, capAt: at + order.capMs, firstUsedAt: null, sealed },
    rotatedAt: at,
    frozenAt: null,
  };
}

/** The new secret was used: it is the active one from now on, and the old one's end is set. */
export function noteFirstUse(key: KeyRecord, generation: number, at: number): KeyRecord {
  const used = key.secrets.find((secret) => secret.generation === generation);
  const { rotation } = key;
  if (used?.state !== "pending" || !rotation) return key;
  const endsAt = Math.min(at + rotation.graceMs, rotation.capAt);
  return {
    ...key,
    secrets: key.secrets.map((secret) => {
      if (secret === used) return { ...secret, state: "active" };
      if (secret.state !== "active") return secret;
      const end = Math.min(endsAt, secret.expiresAt ?? endsAt);
      return end <= at ? destroyed(secret) : { ...secret, state: "overlapping", endsAt: end };
    }),
    rotation: { ...rotation, firstUsedAt: at, sealed: null },
    // What was told was about the old secret.
    told: [],
  };
}

/** When each of the key's secrets was last used, by generation; epoch ms. */
export type LastUses = ReadonlyMap<number, number>;

export interface QuietRule {
  /** An old secret unused for so long, while the new one is used, has done its work. */
  readonly quietMs: number;
  readonly uses: LastUses;
}

/** What time has brought about: overlaps that ended, pending secrets past their cap, texts that may not be read again. */
export function settle(key: KeyRecord, now: number, quiet?: QuietRule): KeyRecord {
  const { rotation } = key;
  if (!rotation) return key;
  const secrets = key.secrets.map((secret) => {
    if (secret.state === "pending" && rotation.capAt <= now) return destroyed(secret);
    if (secret.state === "overlapping" && hasEnded(secret, rotation, now, quiet)) return destroyed(secret);
    return secret;
  });
  const isOver = !secrets.some(({ state }) => state === "pending" || state === "overlapping");
  const isSealOver = rotation.sealed !== null && rotation.sealed.until <= now;
  if (!isOver && !isSealOver && secrets.every((secret, i) => secret === key.secrets[i])) return key;
  const next = isSealOver ? { ...rotation, sealed: null } : rotation;
  return { ...key, secrets: kept(secrets), rotation: isOver ? null : next };
}

function hasEnded(secret: KeySecret, rotation: Rotation, now: number, quiet: QuietRule | undefined): boolean {
  if ((secret.endsAt ?? 0) <= now) return true;
  if (!quiet || quiet.quietMs === 0 || rotation.firstUsedAt === null) return false;
  const lastUsedAt = Math.max(rotation.firstUsedAt, quiet.uses.get(secret.generation) ?? 0);
  const newUsedAt = Math.max(...[...quiet.uses].filter(([at]) => at > secret.generation).map(([, used]) => used), 0);
  return now - lastUsedAt >= quiet.quietMs && newUsedAt - lastUsedAt >= quiet.quietMs;
}

/** Ends the overlap now: clients that still use the old secret are denied from now on. */
export function endOverlap(key: KeyRecord, at: number): KeyRecord {
  if (!key.secrets.some(({ state }) => state === "overlapping")) return key;
  const secrets = key.secrets.map((one) => (one.state === "overlapping" ? { ...one, endsAt: at } : one));
  return settle({ ...key, secrets }, at);
}

/** Why this secret of the key does not work at `now`; undefined when it does. The key's own state is another matter. */
export function secretRefusal(key: KeyRecord, secret: KeySecret, now: number): Refusal | undefined {
  const isReplaced =
    secret.state === "destroyed" ||
    (secret.state === "overlapping" && (secret.endsAt ?? 0) <= now) ||
    (secret.state === "pending" && (key.rotation?.capAt ?? 0) <= now);
  if (isReplaced) return refuse("key_rotated");
  return secret.expiresAt !== null && secret.expiresAt <= now ? refuse("key_expired") : undefined;
}

function destroyed(secret: KeySecret): KeySecret {
  return { ...secret, state: "destroyed" };
}

function kept(secrets: readonly KeySecret[]): readonly KeySecret[] {
  const old = secrets.filter(({ state }) => state === "destroyed");
  const forgotten = new Set(old.slice(0, Math.max(0, old.length - DESTROYED_KEPT)));
  return secrets.filter((secret) => !forgotten.has(secret));
}
