/** What is answered without a credential, by constants of ours: nothing is forwarded and nothing is recorded. */
import type { Exchange } from "./exchange.ts";
import { addCorsHeaders } from "./cors.ts";
import type { Endpoint } from "./wire/endpoint.ts";

export interface LocalState {
  /** The store takes writes, and the gateway is neither draining nor in quarantine. */
  readonly isReady: () => boolean;
}

/** The version of Ollama's dialect that is spoken here; clients compare it with what they need. */
export const OLLAMA_DIALECT_VERSION = "0.33.0";

const TEXT = "text/plain; charset=utf-8";
const JSON_TYPE = "application/json; charset=utf-8";

export function answerLocally(exchange: Exchange, endpoint: Endpoint, state: LocalState): void {
  const [status, type, body] = constantFor(endpoint.path, state);
  const length = String(Buffer.byteLength(body));
  const headers = [
    "content-type",
    type,
    "content-length",
    length,
    "cache-control",
    "no-store",
    "x-request-id",
    exchange.id,
  ];
  addCorsHeaders(headers, exchange.corsOrigin);
  exchange.response.writeHead(status, headers);
  exchange.response.end(exchange.request.method === "HEAD" ? undefined : body);
}

function constantFor(path: string, state: LocalState): [status: number, type: string, body: string] {
  switch (path) {
    case "/":
      return [200, TEXT, "Ollama is running"];
    case "/api/version":
      return [200, JSON_TYPE, `{"version":"${OLLAMA_DIALECT_VERSION}"}`];
    case "/healthz":
      return [200, JSON_TYPE, '{"status":"ok"}'];
    case "/readyz":
      return state.isReady() ? [200, JSON_TYPE, '{"status":"ready"}'] : [503, JSON_TYPE, '{"status":"not_ready"}'];
    default:
      throw new Error(`no local answer for ${path}`);
  }
}
