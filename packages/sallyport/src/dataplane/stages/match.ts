/** The second door: method and path must be a row of the closed endpoint table (R2), and the query must be one the row accepts. */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import { answered } from "../pipeline.ts";
import type { Stage } from "../pipeline.ts";
import { answerLocally } from "../local-answers.ts";
import type { LocalState } from "../local-answers.ts";
import { answerPreflight } from "../cors.ts";
import type { Endpoint } from "../wire/endpoint.ts";
import { matchEndpoint } from "../wire/match.ts";

export interface MatchPorts extends LocalState {
  /** A backup was restored and nobody has confirmed it: no key is believed, for it may have been revoked since. */
  readonly isQuarantined: () => boolean;
}

export function makeMatch(local: MatchPorts): Stage {
  return function match(exchange) {
    const method = exchange.request.method ?? "";
    // What a browser must never do for another page: exchange credentials, log people in.
    if (NEVER_CROSS_ORIGIN.test(exchange.path)) exchange.corsOrigin = null;
    if (method === "OPTIONS" && exchange.origin !== null)
      return exchange.corsOrigin === null ? refuse("origin_denied") : answerPreflight(exchange);
    const found = matchEndpoint(method, exchange.path);
    if ("code" in found) return found;
    if (exchange.environmentPath !== null && !["oauth", "login"].includes(found.endpoint.served))
      return refuse("endpoint_unknown");
    exchange.endpoint = found.endpoint;
    exchange.parameter = found.parameter;
    const refusal = exchange.query === "" ? undefined : refuseQuery(exchange.query, found.endpoint);
    if (refusal) return refusal;
    if (found.endpoint.served === "local") {
      answerLocally(exchange, found.endpoint, local);
      return answered;
    }
    return local.isQuarantined() ? refuse("restore_unconfirmed") : undefined;
  };
}

const NEVER_CROSS_ORIGIN = /^\/(?:oauth|login|oidc|sallyport\/tickets)(?:\/|$)/;

function refuseQuery(query: string, endpoint: Endpoint): Refusal | undefined {
  for (const part of query.split("&")) {
    const name = part.split("=", 1)[0]!;
    if (!endpoint.query.includes(name)) return refuse("query_not_accepted", name.slice(0, 40));
  }
  return undefined;
}
