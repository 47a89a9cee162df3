/** A JSON answer of the gateway's own to one request: uncached, with the request id and what the caller is to be told. */
import { addRetirementHeaders } from "../../keys/retirement.ts";
import { addCorsHeaders } from "../cors.ts";
import type { Exchange } from "../exchange.ts";
import { answered } from "../pipeline.ts";
import { addRateHeaders } from "../rate-headers.ts";

/** The headers of any JSON that the gateway itself says, an answer or a denial. */
export function jsonHeaders(exchange: Exchange, body: string): string[] {
  const headers = [
    "content-type",
    "application/json; charset=utf-8",
    "content-length",
    String(Buffer.byteLength(body)),
  ];
  headers.push("cache-control", "no-store", "x-request-id", exchange.id);
  addCorsHeaders(headers, exchange.corsOrigin);
  addRateHeaders(headers, exchange.rate);
  addRetirementHeaders(headers, exchange.retirement);
  return headers;
}

export function writeOwnAnswer(exchange: Exchange, said: object): typeof answered {
  const body = JSON.stringify(said);
  const headers = jsonHeaders(exchange, body);
  exchange.response.writeHead(200, headers);
  exchange.response.end(body);
  return answered;
}
