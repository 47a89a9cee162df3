/** Makes a key: id, text and keyed hash. Whether the issuer may give it was decided before (`access/attenuation.ts`). */
import { formatKeyText, KEY_ID_LENGTH, KEY_SECRET_LENGTH } from "@sallyport/protocol";
import type { AdminRight, Limits, RightSpec } from "../access/policy.ts";
import { randomBase62 } from "../kernel/ids.ts";
import { Secret } from "../kernel/secret.ts";
import { hashKeyText } from "./hash.ts";
import { SYSTEM_REALM } from "./key.ts";
import type { KeyRecord } from "./key.ts";
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
  const { environment, name, owner, ceiling, limits, createdAt, createdBy, expiresAt } = order;
  const made = makeText("sp", environment, peppers);
  return {
    text: made.text,
    record: {
      ...made.stored,
      environment,
      name,
      owner,
      state: "active",
      ceiling,
      limits,
      admin: null,
      createdAt,
      createdBy,
      expiresAt,
    },
  };
}

export function issueAdminKey(order: AdminKeyOrder, peppers: PepperRing): IssuedKey {
  const made = makeText("spa", SYSTEM_REALM, peppers);
  return {
    text: made.text,
    record: {
      ...made.stored,
      environment: SYSTEM_REALM,
      name: order.name,
      owner: null,
      state: "active",
      ceiling: { roles: [], allow: [], models: [] },
      limits: {},
      admin: order.right,
      createdAt: order.createdAt,
      createdBy: order.createdBy,
      expiresAt: order.expiresAt,
    },
  };
}

interface MadeText {
  readonly text: Secret;
  readonly stored: Pick<KeyRecord, "id" | "hash" | "pepperVersion">;
}

function makeText(prefix: "sp" | "spa", environment: string, peppers: PepperRing): MadeText {
  const pepper = peppers.create(environment);
  const id = randomBase62(KEY_ID_LENGTH);
  const text = formatKeyText(prefix, environment, id, randomBase62(KEY_SECRET_LENGTH));
  return { text: new Secret(text), stored: { id, hash: hashKeyText(text, pepper), pepperVersion: pepper.version } };
}
