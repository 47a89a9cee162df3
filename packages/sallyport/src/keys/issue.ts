/** Makes a key: id, text and keyed hash. Whether the issuer may give it was decided before (`access/attenuation.ts`). */
import { formatKeyText, KEY_ID_LENGTH, KEY_SECRET_LENGTH, SYSTEM_REALM } from "@sallyport/protocol";
import type { AdminRight, Limits, RightSpec } from "../access/policy.ts";
import { randomBase62 } from "../kernel/ids.ts";
import { Secret } from "../kernel/secret.ts";
import { hashKeyText } from "./hash.ts";
import { newKey } from "./key.ts";
import type { KeyFactors, KeyRecord, KeySecret, KeySession } from "./key.ts";
import type { PepperRing } from "./pepper.ts";

interface OrderBase {
  readonly name: string;
  /** As recorded: `key:<id>`, `os:<user>`, `gateway`. */
  readonly createdBy: string;
  /** Epoch ms. */
  readonly createdAt: number;
}

/** An API key of an environment. */
export interface KeyOrder extends OrderBase {
  readonly environment: string;
  /** Principal id. */
  readonly owner: string;
  readonly ceiling: RightSpec;
  readonly limits: Limits;
  /** Epoch ms. */
  readonly expiresAt: number;
  /** The log-in it stands for; default none. */
  readonly session?: KeySession;
  /** Whether it is a canary key; default no. */
  readonly isDecoy?: boolean;
  /** Its access conditions; default none. */
  readonly factors?: Partial<KeyFactors>;
}

/** An admin key of the reserved realm. */
export interface AdminKeyOrder extends OrderBase {
  readonly right: AdminRight;
  /** Epoch ms; null for the recovery key alone. */
  readonly expiresAt: number | null;
}

export interface IssuedKey {
  readonly record: KeyRecord;
  /** The whole key text. Shown once; only its hash is kept. */
  readonly text: Secret;
}

export function issueKey(order: KeyOrder, peppers: PepperRing): IssuedKey {
  if (order.environment === SYSTEM_REALM) throw new RangeError("an API key cannot be of the reserved realm");
  const { environment, owner, ceiling, limits, session = null, isDecoy = false } = order;
  return makeKey("sp", order, peppers, { environment, owner, ceiling, limits, session, isDecoy, admin: null });
}

export function issueAdminKey(order: AdminKeyOrder, peppers: PepperRing): IssuedKey {
  return makeKey("spa", order, peppers, {
    environment: SYSTEM_REALM,
    owner: null,
    ceiling: { roles: [], allow: [], models: [] },
    limits: {},
    session: null,
    isDecoy: false,
    admin: order.right,
  });
}

function makeKey(
  prefix: "sp" | "spa",
  { name, createdAt, createdBy, expiresAt, factors }: (KeyOrder | AdminKeyOrder) & Pick<KeyOrder, "factors">,
  peppers: PepperRing,
  what: Pick<KeyRecord, "environment" | "owner" | "ceiling" | "limits" | "session" | "isDecoy" | "admin">,
): IssuedKey {
  const id = randomBase62(KEY_ID_LENGTH);
  const { text, hash, pepperVersion } = makeSecret(prefix, what.environment, id, peppers);
  return {
    text,
    record: newKey({ ...what, id, name, createdAt, createdBy }, { hash, pepperVersion, expiresAt }, factors),
  };
}

export interface MadeSecret extends Pick<KeySecret, "hash" | "pepperVersion"> {
  readonly text: Secret;
}

/** A fresh secret for that id: the whole key text, and its hash under the environment's newest pepper. */
export function makeSecret(prefix: "sp" | "spa", environment: string, id: string, peppers: PepperRing): MadeSecret {
  const pepper = peppers.create(environment);
  const text = formatKeyText(prefix, environment, id, randomBase62(KEY_SECRET_LENGTH));
  return { text: new Secret(text), hash: hashKeyText(text, pepper), pepperVersion: pepper.version };
}
