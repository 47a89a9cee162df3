/** What is stored about a user who logs in here and at no provider. Its secrets are encrypted in one text. */
import { Secret } from "../../kernel/secret.ts";
import type { Sealer } from "../../keys/sealer.ts";

export interface LocalLogin {
  readonly principal: string;
  /** Where an invitation waits: its hash in hex. */
  readonly invitation: { readonly hash: string; readonly expiresAt: number } | null;
  /** `LocalSecrets`, encrypted for `local-login/<principal>`; null until the user has chosen a password. */
  readonly sealed: string | null;
  /** The time step of the last code that counted. */
  readonly otpStep: number;
  /** Epoch ms of the last invitation, and of the last enrolment. */
  readonly invitedAt: number;
  readonly enrolledAt: number | null;
}

export type LocalLoginState = "none" | "invited" | "enrolled" | "suspended";

export interface LocalSecrets {
  /** PHC string. */
  readonly password: string;
  readonly otp: Secret;
}

export function purposeOf(principal: string): string {
  return `local-login/${principal}`;
}

export function sealLocal(sealer: Pick<Sealer, "seal">, principal: string, { password, otp }: LocalSecrets): string {
  return sealer.seal(purposeOf(principal), Buffer.from(JSON.stringify([password, otp.reveal()])));
}

/** Throws `store_unavailable` for what does not authenticate. */
export function openLocal(sealer: Pick<Sealer, "open">, principal: string, sealed: string): LocalSecrets {
  const parts = JSON.parse(sealer.open(purposeOf(principal), sealed).toString("utf8")) as unknown;
  if (!Array.isArray(parts) || parts.length !== 2)
    throw new Error(`the encrypted text of ${principal} is not a local log-in`);
  return { password: String(parts[0]), otp: new Secret(String(parts[1])) };
}
