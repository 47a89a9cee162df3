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
    "x-request-id, ratelimit, ratelimit-policy, retry-after, deprecation, sunset, x-sallyport-adjusted, x-sallyport-queue-position, x-sallyport-expected-wait",
  );
}

/** Always allowed. SDKs add further names (`x-stainless-…`), which change with their versions: see `allowedHeaders`. */
const USUAL_HEADERS = ["authorization", "x-api-key", "api-key", "content-type", "anthropic-version", "anthropic-beta"];
/** Names of header fields (RFC 9110, 5.1), as a browser lists them: lower case, separated by commas. */
const ASKED_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/;
const ASKED_MAX = 64;

export function answerPreflight(exchange: Exchange): typeof answered {
  const headers = [
    "access-control-allow-methods",
    "GET, HEAD, POST, DELETE",
    "access-control-allow-headers",
    allowedHeaders(askedHeaders(exchange.request.rawHeaders)).join(", "),
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

/** An origin that is listed may send whatever header it wants: none of them is forwarded, and those that mean something are judged. */
function allowedHeaders(asked: string): readonly string[] {
  const names = asked
    .slice(0, ASKED_MAX * 65)
    .split(",", ASKED_MAX)
    .map((name) => name.trim().toLowerCase())
    .filter((name) => ASKED_NAME.test(name));
  return [...new Set([...USUAL_HEADERS, ...names])];
}

function askedHeaders(rawHeaders: readonly string[]): string {
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (rawHeaders[i]!.toLowerCase() === "access-control-request-headers") return rawHeaders[i + 1]!;
  return "";
}
