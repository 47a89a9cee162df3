/**
 * The second check: method and path must be a row of the closed endpoint table (R2), and the query must be one that the
 * row accepts.
 */
import { isRefusal, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { Exchange } from "../exchange.ts";
import type { Stage, StageResult } from "../pipeline.ts";
import { answerPreflight } from "../cors.ts";
import type { Endpoint, Way } from "../wire/endpoint.ts";
import { matchEndpoint } from "../wire/match.ts";

/** Chooses the request's way by its endpoint. */
export function match(exchange: Exchange): StageResult {
  const method = exchange.request.method ?? "";
  // What a browser must never do for another page: exchange credentials, log people in.
  if (NEVER_CROSS_ORIGIN.test(exchange.path)) exchange.corsOrigin = null;
  if (method === "OPTIONS" && exchange.origin !== null)
    return exchange.corsOrigin === null ? refuse("origin_denied") : answerPreflight(exchange);
  const found = matchEndpoint(method, exchange.path);
  if (isRefusal(found)) return found;
  if (exchange.environmentPath !== null && !OF_ENVIRONMENTS.has(found.endpoint.way)) return refuse("endpoint_unknown");
  exchange.endpoint = found.endpoint;
  exchange.parameter = found.parameter;
  return exchange.query === "" ? undefined : refuseQuery(exchange.query, found.endpoint);
}

/** Whether a restored backup awaits confirmation: then no key is accepted, because it may have been revoked since. */
export function makeConfirmed(isQuarantined: () => boolean): Stage {
  return () => (isQuarantined() ? refuse("restore_unconfirmed") : undefined);
}

/** What may be asked under `/e/<environment>`. */
const OF_ENVIRONMENTS: ReadonlySet<Way> = new Set(["metadata", "device", "login", "oauth", "revoke"]);
const NEVER_CROSS_ORIGIN = /^\/(?:oauth|login|oidc|sallyport\/tickets)(?:\/|$)/;

function refuseQuery(query: string, endpoint: Endpoint): Refusal | undefined {
  for (const part of query.split("&")) {
    const name = part.split("=", 1)[0]!;
    if (!endpoint.query.includes(name)) return refuse("query_not_accepted", name.slice(0, 40));
  }
  return undefined;
}
