/**
 * SCIM 2.0 (RFC 7643, 7644), outside the contract: its paths, media type and errors are the RFC's. Loaded with its
 * first request: a gateway without provisioning does not load its code.
 */
import { Problem, problems } from "@sallyport/protocol";
import type { AdminPermission } from "@sallyport/protocol";
import { ScimRefused } from "../../identity/scim-refused.ts";
import { resourceTypes, schemas, serviceProviderConfig } from "../../identity/scim-pages.ts";
import type { Members } from "../../identity/scim-values.ts";
import type { Caller } from "../caller.ts";
import type { AdminPorts } from "../ports.ts";
import { gatedPorts } from "../gated-ports.ts";
import { readCallBody } from "../read-request.ts";
import { pageOf, SCIM_BASE, versionOf } from "./scim-call.ts";
import type { ScimAnswer, ScimCall } from "./scim-call.ts";
import { answerGroups } from "./scim-groups.ts";
import { answerUsers } from "./scim-users.ts";

/** Who calls, and may they; throws the denial. */
export type AdmitScim = (permission: AdminPermission) => Promise<Caller>;

const TYPE = "application/scim+json; charset=utf-8";
const AWAITED = /^application\/(?:scim\+)?json(?:\s*;\s*charset="?utf-8"?)?$/i;
const METHODS: Readonly<Record<string, readonly string[]>> = {
  Users: ["GET", "POST"],
  Groups: ["GET", "POST"],
  "Users/": ["GET", "PUT", "PATCH", "DELETE"],
  "Groups/": ["GET", "PUT", "PATCH", "DELETE"],
};

/** Always responds; what is not a denial is rethrown as a fault. */
export async function answerScim(ports: AdminPorts, admit: AdmitScim, request: Request): Promise<Response> {
  try {
    const caller = await admit(request.method === "GET" ? "principals:read" : "principals:manage");
    const { status, body } = await answer(gatedPorts(ports, caller), caller, request);
    if (body === null) return new Response(null, { status, headers: { "cache-control": "no-store" } });
    const meta = body["meta"] as { location?: string; version?: string } | undefined;
    return written(status, body, {
      ...(status === 201 && meta?.location ? { location: meta.location } : {}),
      ...(meta?.version ? { etag: versionOf(body) } : {}),
    });
  } catch (cause) {
    if (cause instanceof ScimRefused) return refused(cause.status, cause.message, cause.scimType ?? undefined);
    if (!(cause instanceof Problem)) throw cause;
    const { status, title } = problems[cause.code];
    const says = [cause.detail ?? title, ...cause.mistakes].join("; ");
    return refused(status === 422 ? 400 : status, says, syntaxOf(status), cause.code);
  }
}

/** A body that is no strict JSON is what SCIM calls a syntax. */
function syntaxOf(status: number): string | undefined {
  return status === 400 || status === 422 ? "invalidSyntax" : undefined;
}

async function answer(ports: AdminPorts, caller: Caller, request: Request): Promise<ScimAnswer> {
  const url = new URL(request.url);
  const [kind = "", id, ...rest] = url.pathname.slice(SCIM_BASE.length + 1).split("/");
  for (const name of new Set(url.searchParams.keys()))
    if (url.searchParams.getAll(name).length > 1)
      throw new ScimRefused("invalidSyntax", "a query parameter comes twice");
  const call: ScimCall = {
    ports,
    caller,
    method: request.method,
    id: id === undefined || id === "" ? null : id,
    query: url.searchParams,
    body: () => readCallBody(request, AWAITED),
    ifMatch: request.headers.get("if-match"),
  };
  const methods = METHODS[call.id === null ? kind : `${kind}/`] ?? ["GET"];
  if (rest.length > 0) throw new Problem("endpoint_unknown");
  if (!methods.includes(call.method)) throw new Problem("method_not_allowed");
  if (kind === "Users") return answerUsers(call);
  if (kind === "Groups") return answerGroups(call);
  return answerPage(call, kind);
}

async function answerPage(call: ScimCall, kind: string): Promise<ScimAnswer> {
  const { id } = call;
  if (kind === "ServiceProviderConfig" && id === null) return { status: 200, body: serviceProviderConfig(SCIM_BASE) };
  const pages: Readonly<Record<string, (base: string) => readonly Members[]>> = {
    ResourceTypes: resourceTypes,
    Schemas: schemas,
  };
  const list = Object.hasOwn(pages, kind) ? pages[kind]?.(SCIM_BASE) : undefined;
  if (!list) throw new Problem("endpoint_unknown");
  if (id === null) return pageOf(list, call, (page) => page);
  const found = list.find((page) => page["id"] === id);
  if (!found) throw new ScimRefused(null, "unknown id", 404);
  return { status: 200, body: found };
}

/** RFC 7644, 3.12; with our own code where there is one. */
function refused(status: number, detail: string, scimType?: string, code?: string): Response {
  const retry: Record<string, string> = status === 429 ? { "retry-after": "1" } : {};
  const challenge: Record<string, string> =
    status === 401 ? { "www-authenticate": 'Bearer realm="sallyport-admin"' } : {};
  const body = {
    schemas: ["urn:ietf:params:scim:api:messages:2.0:Error"],
    status: String(status),
    ...(scimType === undefined ? {} : { scimType }),
    detail,
    ...(code === undefined ? {} : { code }),
  };
  return written(status, body, { ...retry, ...challenge });
}

function written(status: number, body: Members, more: Record<string, string>): Response {
  const headers = { "content-type": TYPE, "cache-control": "no-store", "x-content-type-options": "nosniff", ...more };
  return new Response(JSON.stringify(body), { status, headers });
}
