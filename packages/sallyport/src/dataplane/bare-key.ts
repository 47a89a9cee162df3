/**
 * Whether a key may be used by itself where its environment takes tokens only. Asked at admission, again of what waits or
 * runs when policy changes, and by `explain`.
 */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { EffectiveRight } from "../access/snapshot.ts";
import type { Exchange } from "./exchange.ts";
import type { Endpoint } from "./wire/endpoint.ts";

/** What no token may do, and where tokens come from. */
const OPEN_TO_BARE_KEYS: ReadonlySet<Endpoint["served"]> = new Set(["key", "person", "oauth"]);
const TOKEN_REQUIRED = refuse("token_required");

export function refuseBareKey(
  { environment }: EffectiveRight,
  { token, isOllamaSigned }: Pick<Exchange, "token" | "isOllamaSigned">,
  served: Endpoint["served"] | undefined,
): Refusal | undefined {
  if (!environment.tokens.isOnly || token !== null || isOllamaSigned) return undefined;
  return served !== undefined && OPEN_TO_BARE_KEYS.has(served) ? undefined : TOKEN_REQUIRED;
}
