/** `RateLimit` and `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers, for keys that have a rate. */
import type { RateVerdict } from "../limits/gcra.ts";

/** Adds them to a flat list of names and values. */
export function addRateHeaders(headers: string[], rate: RateVerdict | null): void {
  if (!rate) return;
  headers.push(
    "ratelimit-policy",
    `"requests";q=${rate.count};w=${Math.ceil(rate.windowMs / 1000)}`,
    "ratelimit",
    `"requests";r=${rate.remaining};t=${Math.ceil(rate.resetMs / 1000)}`,
  );
}
