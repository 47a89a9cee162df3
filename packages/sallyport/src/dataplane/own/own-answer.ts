/** A JSON answer of the gateway's own to one request: uncached, with the request id and what the caller is to be told. */
import { addRetirementHeaders } from "../../keys/retirement.ts";
import { addCorsHeaders } from "../cors.ts";
import type { Exchange } from "../exchange.ts";
import { answered } from "../pipeline.ts";
import { addRateHeaders } from "../rate-headers.ts";

export function writeOwnAnswer(exchange: Exchange, said: object): typeof answered {
  const body = JSON.stringify(said);
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
  exchange.response.writeHead(200, headers);
  exchange.response.end(body);
  return answered;
}
