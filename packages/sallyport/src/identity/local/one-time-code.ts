/**
 * The second factor: codes by time (TOTP, RFC 6238) as every authenticator app makes them, six digits in thirty seconds
 * by SHA-1. What makes a code count once is the time step it belongs to, which the caller remembers.
 */
import { Secret as OtpSecret, TOTP } from "otpauth";
import { Secret } from "../../kernel/secret.ts";

const PERIOD_SECONDS = 30;
const SECRET_BYTES = 20;
/** Steps before and after the present one: clocks differ, and people type. */
const WINDOW = 1;
const ISSUER = "Sallyport";

/** Base32, as it is shown once. */
export function newOtpSecret(): Secret {
  return new Secret(new OtpSecret({ size: SECRET_BYTES }).base32);
}

export function otpUri(secret: Secret, name: string): Secret {
  return new Secret(totpOf(secret, name).toString());
}

/** The step the code belongs to; undefined if it matches none of the current ones. */
export function stepOf(secret: Secret, code: string, now: number): number | undefined {
  if (!/^[0-9]{6}$/.test(code)) return undefined;
  const delta = totpOf(secret, "").validate({ token: code, timestamp: now, window: WINDOW });
  return delta === null ? undefined : Math.floor(now / 1_000 / PERIOD_SECONDS) + delta;
}

function totpOf(secret: Secret, label: string): TOTP {
  return new TOTP({
    issuer: ISSUER,
    label,
    secret: secret.reveal(),
    algorithm: "SHA1",
    digits: 6,
    period: PERIOD_SECONDS,
  });
}
