/** What is answered without a credential, by constants of ours: nothing is forwarded and nothing is recorded. */
import { addCorsHeaders } from "../cors.ts";
import { answered } from "../pipeline.ts";
import type { Stage } from "../pipeline.ts";

/** The version of Ollama's dialect that is spoken here; clients compare it with what they need. */
export const OLLAMA_DIALECT_VERSION = "0.33.0";

const TEXT = "text/plain; charset=utf-8";
const JSON_TYPE = "application/json; charset=utf-8";

/** `isReady`: the store takes writes, and the gateway is neither draining nor in quarantine. */
export function makeConstant(isReady: () => boolean): Stage {
  return function constant({ endpoint, request, response, id, corsOrigin }) {
    const [status, type, body] = constantFor(endpoint!.path, isReady);
    const length = String(Buffer.byteLength(body));
    const headers = ["content-type", type, "content-length", length, "cache-control", "no-store", "x-request-id", id];
    addCorsHeaders(headers, corsOrigin);
    response.writeHead(status, headers);
    response.end(request.method === "HEAD" ? undefined : body);
    return answered;
  };
}

function constantFor(path: string, isReady: () => boolean): [status: number, type: string, body: string] {
  switch (path) {
    case "/":
      return [200, TEXT, "Ollama is running"];
    case "/api/version":
      return [200, JSON_TYPE, `{"version":"${OLLAMA_DIALECT_VERSION}"}`];
    case "/healthz":
      return [200, JSON_TYPE, '{"status":"ok"}'];
    case "/readyz":
      return isReady() ? [200, JSON_TYPE, '{"status":"ready"}'] : [503, JSON_TYPE, '{"status":"not_ready"}'];
    default:
      throw new Error(`no constant for ${path}`);
  }
}
