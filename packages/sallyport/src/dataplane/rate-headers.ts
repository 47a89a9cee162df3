/**
 * How a rate limit is reported: a denial with the time to wait, and `RateLimit` and `RateLimit-Policy` of
 * draft-ietf-httpapi-ratelimit-headers, for keys that have a rate.
 */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
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

/** Undefined where there is no rate, or room in it. */
export function refuseRate(rate: RateVerdict | null | undefined): Refusal | undefined {
  if (!rate || rate.isAllowed) return undefined;
  return refuse("rate_limited").with({ retryAfterSeconds: Math.ceil(rate.retryAfterMs / 1_000) });
}
