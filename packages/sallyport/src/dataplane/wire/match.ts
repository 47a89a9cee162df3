/** Looks a request up in the closed table: by method and exact path, with one last segment decoded where the row says so. */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { Endpoint, ParameterKind } from "./endpoint.ts";
import { endpoints } from "./endpoints.ts";

export interface Match {
  readonly endpoint: Endpoint;
  /** The last segment, decoded and checked; null where the row has none. */
  readonly parameter: string | null;
}

const exact = new Map<string, Endpoint[]>();
const prefixed = new Map<string, Endpoint[]>();
for (const endpoint of endpoints) {
  const index = endpoint.parameter === "none" ? exact : prefixed;
  const rows = index.get(endpoint.path);
  if (rows) rows.push(endpoint);
  else index.set(endpoint.path, [endpoint]);
}

export function matchEndpoint(method: string, path: string): Match | Refusal {
  const rows = exact.get(path);
  if (rows) {
    const endpoint = byMethod(rows, method);
    return endpoint ? { endpoint, parameter: null } : refuse("method_not_allowed");
  }
  const lastSlash = path.lastIndexOf("/") + 1;
  const candidates = prefixed.get(path.slice(0, lastSlash));
  if (!candidates || lastSlash === path.length) return refuseUnknown(path);
  const endpoint = byMethod(candidates, method);
  if (!endpoint) return refuse("method_not_allowed");
  const parameter = readParameter(endpoint.parameter, path.slice(lastSlash));
  return parameter === undefined ? refuse("target_malformed", "the last segment") : { endpoint, parameter };
}

/** What a wrong base URL puts in front of the path, or leaves out. */
const PREFIXES = ["/v1", "/api"];

/**
 * Each endpoint has one path, so that a proxy's rule for this path cannot be evaded by another spelling. A client whose
 * base URL is slightly wrong learns the path that exists; the text comes from the table, never from the request.
 */
function refuseUnknown(path: string): Refusal {
  const plain = path.endsWith("/") ? path.slice(0, -1) : path;
  const candidates = [plain, ...PREFIXES.map((prefix) => prefix + plain)];
  for (const prefix of PREFIXES) if (plain.startsWith(`${prefix}/`)) candidates.push(plain.slice(prefix.length));
  const near = candidates.find((candidate) => exact.has(candidate));
  return refuse("endpoint_unknown", near === undefined ? undefined : `the path is ${near}, check the base URL`);
}

function byMethod(rows: readonly Endpoint[], method: string): Endpoint | undefined {
  return rows.find((row) => row.methods.includes(method));
}

const DIGEST = /^sha256:[0-9a-f]{64}$/;

function readParameter(kind: ParameterKind, segment: string): string | undefined {
  if (kind === "digest") return DIGEST.test(segment) ? segment : undefined;
  if (kind !== "model") return segment;
  try {
    // Once, and never again: SDKs write the colon as %3A. What is still encoded after that is no model name.
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
