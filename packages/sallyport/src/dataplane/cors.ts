/** CORS, for origins the settings list and no others. Answered before authentication; credentials travel in headers, never in cookies. */
import { answered } from "./pipeline.ts";
import type { Exchange } from "./exchange.ts";

/** Adds them to a flat list of names and values, where the origin is one that is listed. */
export function addCorsHeaders(headers: string[], corsOrigin: string | null): void {
  if (corsOrigin === null) return;
  headers.push(
    "access-control-allow-origin",
    corsOrigin,
    "vary",
    "Origin",
    "access-control-expose-headers",
    "x-request-id, ratelimit, ratelimit-policy, retry-after, x-sallyport-adjusted",
  );
}

export function answerPreflight(exchange: Exchange): typeof answered {
  const headers = [
    "access-control-allow-methods",
    "GET, HEAD, POST, DELETE",
    "access-control-allow-headers",
    "authorization, x-api-key, api-key, content-type, anthropic-version, anthropic-beta",
    "access-control-max-age",
    "600",
    "content-length",
    "0",
  ];
  addCorsHeaders(headers, exchange.corsOrigin);
  exchange.response.writeHead(204, headers);
  exchange.response.end();
  return answered;
}
