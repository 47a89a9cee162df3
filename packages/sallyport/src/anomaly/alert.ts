/** What a detector says: which key, what kind of misuse it looks like, what was unusual, what is usual, and where it can be read. */

import type { AlertKind } from "@sallyport/protocol";

/** The table of kinds: what each means, and whether it is a fact (may be acted on at once) or a likelihood. */
export const alertKinds = {
  decoy_used: { isFact: true, says: "a canary key was used" },
  leaver: {
    isFact: true,
    says: "a key worked, or was tried from a network it never came from, after its revocation or its owner's departure",
  },
  credential_spread: { isFact: true, says: "many networks use one key within the hour" },
  two_places: { isFact: true, says: "one key is used from two far networks at once, one of them new" },
  scope_probing: { isFact: true, says: "several different kinds of requests were denied" },
  replay: { isFact: true, says: "signed requests were sent again" },
  dormant_revival: { isFact: true, says: "a key that rested for weeks is used again" },
  mint_after_revoke: {
    isFact: true,
    says: "a key was revoked, and another administrator, or the same one from an unknown network, created one for its owner",
  },
  model_hunt: { isFact: false, says: "models were listed, one never used before was, and much of it" },
  stolen_key: { isFact: false, says: "new network or program, with other deviations from the baseline" },
  enumeration: { isFact: false, says: "many models or calls that this key does not make" },
  flood: { isFact: false, says: "far more than usual" },
  repetition: { isFact: false, says: "the same request again and again" },
  off_hours: { isFact: false, says: "used at hours at which it never is" },
  ramp: { isFact: false, says: "a little more every day for weeks" },
  unlike_itself: { isFact: false, says: "several things are a little unusual at once" },
  key_leaked: { isFact: true, says: "the key was found, with its secret, where others can read it" },
} as const satisfies Record<AlertKind, { readonly isFact: boolean; readonly says: string }>;

export type { AlertKind };
export const ALERT_KINDS = Object.keys(alertKinds) as readonly AlertKind[];

export interface AlertFactor {
  readonly name: string;
  readonly observed: string | number;
  /** At most 20; what is most usual first. */
  readonly usual: readonly (string | number)[];
  /** Null for what is no likelihood. */
  readonly p: number | null;
}

/** One event of the slice: what the audit log is asked for. */
export interface Evidence {
  readonly request: string;
  /** Epoch ms. */
  readonly at: number;
}

export interface Alert {
  /** `<environment>/<key>/<kind>/<at>`: the same again when the same records are replayed. */
  readonly id: string;
  readonly at: number;
  readonly environment: string;
  readonly key: string;
  readonly owner: string | null;
  readonly kind: AlertKind;
  readonly isDeterministic: boolean;
  /** Groups of factors that would each be a signal alone. */
  readonly signals: number;
  /** Of everything together, after calibration; null for a fact. */
  readonly p: number | null;
  readonly factors: readonly AlertFactor[];
  readonly evidence: readonly Evidence[];
}
