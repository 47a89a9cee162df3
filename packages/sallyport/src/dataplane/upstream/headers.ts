/** Headers are built from scratch in both directions: nothing of the caller's goes up, nothing of the upstream's comes down but what is listed. */
import type { Exchange } from "../exchange.ts";
import { addCorsHeaders } from "../cors.ts";
import { usageHeader } from "../cost.ts";
import { addRetirementHeaders } from "../../keys/retirement.ts";
import { addRateHeaders } from "../rate-headers.ts";

/**
 * Request headers for the upstream, as a flat list for the dispatcher. `length` undefined = chunked. `traceparent` and
 * `authorization` are ours, not the caller's.
 */
export function upstreamHeaders(
  host: string,
  contentType: string,
  length: number | undefined,
  traceparent: string | undefined,
  authorization: string | undefined,
): string[] {
  const headers = ["host", host, "user-agent", "sallyport", "accept", "*/*"];
  if (contentType !== "") headers.push("content-type", contentType);
  if (length !== undefined) headers.push("content-length", String(length));
  if (traceparent !== undefined) headers.push("traceparent", traceparent);
  if (authorization !== undefined) headers.push("authorization", authorization);
  return headers;
}

/** The media types an upstream may answer with; anything else becomes the harmless one. */
const TYPES = new Map([
  ["application/x-ndjson", "application/x-ndjson"],
  ["text/event-stream", "text/event-stream"],
  ["application/json", "application/json; charset=utf-8"],
  ["text/plain", "text/plain; charset=utf-8"],
]);

/** Media types whose answers come in pieces, each shown at once. */
export function isStreamType(type: string): boolean {
  return type === "application/x-ndjson" || type === "text/event-stream";
}

/** The bare media type of a Content-Type header, lower case. */
export function mediaType(header: string | string[] | undefined): string {
  const text = Array.isArray(header) ? (header[0] ?? "") : (header ?? "");
  const mark = text.indexOf(";");
  return (mark < 0 ? text : text.slice(0, mark)).trim().toLowerCase();
}

/** What the upstream says the answer's length is; undefined where it says none that can be one. */
export function declaredLength(headers: Record<string, string | string[] | undefined>): number | undefined {
  const text = headers["content-length"];
  return typeof text === "string" && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** The trailer field of a stream, where its caller asks for its cost; else empty. */
export function usageTrailer(exchange: Exchange, nowMs: number): string {
  return exchange.asksForUsage ? `x-sallyport-usage: ${usageHeader(exchange, nowMs)}` : "";
}

/** Writes the head of the answer. `length` undefined = the length is not known beforehand. */
export function writeAnswerHead(
  exchange: Exchange,
  status: number,
  type: string,
  length: number | undefined,
  nowMs: number,
): void {
  const { response, serialized } = exchange;
  const adjusted = serialized!.adjusted;
  // A flat list is written as it is; single calls of setHeader cost several times as much.
  const headers = ["x-request-id", exchange.id, "cache-control", "no-store", "x-content-type-options", "nosniff"];
  if (length !== 0 || type !== "") headers.push("content-type", TYPES.get(type) ?? "application/octet-stream");
  if (length !== undefined) headers.push("content-length", String(length));
  // A proxy that gathers a stream would show it only when it is over.
  if (isStreamType(type)) headers.push("x-accel-buffering", "no");
  if (exchange.retryAfterSeconds !== null) headers.push("retry-after", String(exchange.retryAfterSeconds));
  if (adjusted.length > 0) headers.push("x-sallyport-adjusted", adjusted.join(", ").replaceAll(/[^\x20-\x7e]/g, "?"));
  // While it waits for its turn, nothing is known of its cost.
  if (exchange.asksForUsage && (exchange.group !== null || exchange.isForwarded))
    headers.push("x-sallyport-usage", usageHeader(exchange, nowMs));
  if (exchange.asksForUsage && isStreamType(type)) headers.push("trailer", "x-sallyport-usage");
  addRateHeaders(headers, exchange.rate);
  addRetirementHeaders(headers, exchange.retirement);
  addCorsHeaders(headers, exchange.corsOrigin);
  response.writeHead(status, headers);
}
