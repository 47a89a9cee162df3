/**
 * What a caller learns about the end of its secret in advance: `Deprecation` (RFC 9745) and `Sunset` (RFC 8594) from
 * the first notice on, and, if policy asks for it, short denials in the last days for clients that do not read headers.
 */
import type { KeyLife } from "../access/policy.ts";
import type { KeyRecord, KeySecret } from "./key.ts";

/** Both epoch ms. */
export interface Retirement {
  readonly since: number;
  readonly endsAt: number;
}

/** Five minutes of each hour. */
const BROWNOUT_MS = 5 * 60_000;
const HOUR_MS = 3_600_000;

/**
 * Null while there is nothing to announce; always for a log-in, which is short and is not rotated but started again.
 */
export function retirementOf(key: KeyRecord, secret: KeySecret, life: KeyLife, now: number): Retirement | null {
  if (key.session) return null;
  if (secret.state === "overlapping" && secret.endsAt !== null)
    return { since: key.rotation?.firstUsedAt ?? now, endsAt: secret.endsAt };
  const first = life.noticesMs[0] ?? 0;
  if (secret.expiresAt === null || secret.expiresAt - now > first) return null;
  return { since: Math.max(secret.createdAt, secret.expiresAt - first), endsAt: secret.expiresAt };
}

/** Seconds until this brown-out is over; 0 without one at `now`. */
export function brownoutSeconds(retirement: Retirement, life: KeyLife, now: number): number {
  if (life.brownoutMs === 0 || retirement.endsAt - now > life.brownoutMs) return 0;
  const within = now % HOUR_MS;
  return within < BROWNOUT_MS ? Math.ceil((BROWNOUT_MS - within) / 1_000) : 0;
}

/** Adds both headers to a flat list of names and values. */
export function addRetirementHeaders(headers: string[], retirement: Retirement | null): void {
  if (!retirement) return;
  headers.push("deprecation", `@${Math.floor(retirement.since / 1_000)}`);
  headers.push("sunset", new Date(retirement.endsAt).toUTCString());
}
