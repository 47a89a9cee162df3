/** What a person who is logged in sees of his own keys, and what he asks to have one back: shared by gateway and client. */

/** His keys in the environment of his log-in. */
export const OWN_KEYS_PATH = "/sallyport/keys";
/** One of them works again, where disuse alone had stopped it. */
export const OWN_KEY_RESUME_PATH = "/sallyport/keys/resume";

/** Reasons of a suspension that come from disuse, and from nothing else. */
export const disuseReasons = ["key_never_used", "key_unused"] as const;

/** True for exactly those: a suspension of any other reason, or of none, is not of disuse. */
export function isDisuseReason(reason: string | null): boolean {
  return disuseReasons.some((one) => one === reason);
}

/** No secret, no hash, no ceiling. Times are ISO 8601. */
export interface OwnKeyView {
  readonly id: string;
  readonly name: string;
  readonly state: "active" | "suspended" | "revoked";
  readonly reason: string | null;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
  /** What becomes of it by itself, if nobody uses it, and when; null where nothing does. */
  readonly next: OwnKeyStep | null;
  /** Its owner may resume it now. */
  readonly isResumable: boolean;
}

export interface OwnKeyStep {
  readonly action: "suspend" | "expire" | "revoke";
  readonly code: "key_never_used" | "key_unused" | "key_expired";
  readonly at: string;
}

export interface OwnKeysAnswer {
  readonly environment: string;
  readonly keys: readonly OwnKeyView[];
}
