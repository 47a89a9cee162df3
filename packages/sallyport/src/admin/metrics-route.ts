/**
 * `GET /metrics`, outside the contract: its response is a text for Prometheus, not JSON, at the place where scrapers
 * look. Administrators of some environments see the series of those, and the series without an environment.
 */
import { Problem } from "@sallyport/protocol";
import type { ContractRow } from "@sallyport/contract";
import { administers } from "../access/attenuation.ts";
import type { Caller } from "./caller.ts";
import type { AdminPorts } from "./ports.ts";

export const metricsRoute = {
  name: "metrics",
  method: "GET",
  path: "/metrics",
  permission: "status:read",
  caller: "any",
  events: [],
  says: "the metrics, in Prometheus' text format 0.0.4; only series of environments that the caller administers",
} as const satisfies Pick<ContractRow, "method" | "path" | "permission" | "caller" | "events" | "says"> & {
  readonly name: string;
};

const TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8";

export function answerMetrics(ports: AdminPorts, { issuer }: Caller, request: Request): Response {
  if (new URL(request.url).search !== "") throw new Problem("query_not_accepted");
  return new Response(
    ports.metrics((environment) => administers(issuer.right, environment)),
    { headers: { "content-type": TEXT_FORMAT, "cache-control": "no-store", "x-content-type-options": "nosniff" } },
  );
}
