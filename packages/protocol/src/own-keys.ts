/** What a logged-in user sees of their keys, and the request to reactivate one: shared by gateway and client. */

/** The user's keys in the environment of the log-in. */
export const OWN_KEYS_PATH = "/sallyport/keys";
/** Reactivates one that only inactivity has suspended. */
export const OWN_KEY_RESUME_PATH = "/sallyport/keys/resume";

/** Reasons of a suspension that mean inactivity, and nothing else. */
export const disuseReasons = ["key_never_used", "key_unused"] as const;

/** True for exactly those: a suspension for any other reason, or without one, is not for inactivity. */
export function isDisuseReason(reason: string | null): boolean {
  return disuseReasons.some((one) => one === reason);
}

/** No secret, no hash, no scope. Times are ISO 8601. */
export interface OwnKeyView {
  readonly id: string;
  readonly name: string;
  readonly state: "active" | "suspended" | "revoked";
  readonly reason: string | null;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
  /** What happens next if the key is not used, and when; null if nothing does. */
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
