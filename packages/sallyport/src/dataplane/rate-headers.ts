/** `RateLimit` and `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers, for keys that have a rate. */
import type { Exchange } from "./exchange.ts";

export function setRateHeaders({ rate, response }: Exchange): void {
  if (!rate) return;
  response.setHeader("ratelimit-policy", `"requests";q=${rate.count};w=${Math.ceil(rate.windowMs / 1000)}`);
  response.setHeader("ratelimit", `"requests";r=${rate.remaining};t=${Math.ceil(rate.resetMs / 1000)}`);
}
