/** `/healthz` and `/readyz` of the admin listener: constants without a credential, as on the data plane, and recorded nowhere. */
import type { AdminPorts } from "./ports.ts";

const HEADERS = { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" };

/** Undefined for every other request. Ready: changes can be committed, and no restored backup waits to be confirmed. */
export function answerHealth(
  { method, url }: Request,
  { status, quarantine }: Pick<AdminPorts, "status" | "quarantine">,
): Response | undefined {
  if (method !== "GET" && method !== "HEAD") return undefined;
  const { pathname } = new URL(url);
  if (pathname !== "/healthz" && pathname !== "/readyz") return undefined;
  const isReady = pathname === "/healthz" || (status().isStoreWritable && quarantine.restored() === undefined);
  const word = pathname === "/healthz" ? "ok" : isReady ? "ready" : "not_ready";
  const body = method === "HEAD" ? null : JSON.stringify({ status: word });
  return new Response(body, { status: isReady ? 200 : 503, headers: HEADERS });
}
