/** CORS, for origins the settings list and no others. Answered before authentication; credentials travel in headers, never in cookies. */
import { answered } from "./pipeline.ts";
import type { Exchange } from "./exchange.ts";

export function setCorsHeaders(exchange: Exchange): void {
  if (exchange.corsOrigin === null) return;
  exchange.response.setHeader("access-control-allow-origin", exchange.corsOrigin);
  exchange.response.setHeader("vary", "Origin");
  exchange.response.setHeader(
    "access-control-expose-headers",
    "x-request-id, ratelimit, ratelimit-policy, retry-after, x-sallyport-adjusted",
  );
}

export function answerPreflight(exchange: Exchange): typeof answered {
  setCorsHeaders(exchange);
  exchange.response.writeHead(204, {
    "access-control-allow-methods": "GET, HEAD, POST, DELETE",
    "access-control-allow-headers":
      "authorization, x-api-key, api-key, content-type, anthropic-version, anthropic-beta",
    "access-control-max-age": "600",
    "content-length": "0",
  });
  exchange.response.end();
  return answered;
}
