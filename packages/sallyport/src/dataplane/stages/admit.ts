/**
 * The first check: the raw request-target and the raw headers, before anything is looked up (R3). Only plain paths
 * pass: no absolute form, no `%` except in the one segment that the endpoint table decodes, no `//`, `.`/`..`, `;`,
 * `\`, no control bytes.
 */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { Exchange } from "../exchange.ts";
import type { Stage } from "../pipeline.ts";
import { clientName } from "../client-name.ts";
import { Secret } from "../../kernel/secret.ts";
import { clientAddress } from "../../listener/client-address.ts";
import type { AddressRules } from "../../listener/client-address.ts";
import { tooManyHeaders } from "../../listener/header-form.ts";
import type { HostNames } from "../../listener/host-names.ts";

export const TARGET_LENGTH_MAX = 2048;

/** Characters of a path: RFC 3986 pchar without `;`, plus `/`. `%` is looked at apart. */
const PATH = /^\/[A-Za-z0-9\-._~!$&'()*+,=:@/]*$/;
const PATH_WITH_ENCODED_SEGMENT = /^\/v1\/models\/[A-Za-z0-9\-._~!$&'()*+,=:@%]+$/;
const QUERY = /^[A-Za-z0-9\-._~!$&'()*+,=:@/?%]*$/;
const DOT_SEGMENT = /(?:^|\/)\.{1,2}(?:\/|$)/;

export interface AdmitPorts {
  readonly addresses: AddressRules;
  readonly hosts: HostNames;
  readonly corsOrigins: ReadonlySet<string>;
  readonly isDraining: () => boolean;
}

export function makeAdmit({ addresses, hosts, corsOrigins, isDraining }: AdmitPorts): Stage {
  return function admit(exchange) {
    const target = exchange.request.url ?? "";
    const refusal = readTarget(exchange, target) ?? readHeaders(exchange);
    if (refusal) return refusal;
    if (exchange.host === null || !hosts.has(exchange.host)) return refuse("host_unknown");
    const address = clientAddress(addresses, exchange.request);
    if (address === undefined) return refuse("header_malformed", "x-forwarded-for");
    exchange.address = address;
    if (exchange.origin !== null && corsOrigins.has(exchange.origin)) exchange.corsOrigin = exchange.origin;
    return isDraining() ? refuse("draining").with({ retryAfterSeconds: 5 }) : undefined;
  };
}

function readTarget(exchange: Exchange, target: string): Refusal | undefined {
  if (target.length > TARGET_LENGTH_MAX) return refuse("target_too_long");
  const mark = target.indexOf("?");
  const path = takePathSecret(exchange, mark < 0 ? target : target.slice(0, mark));
  if (path === undefined) return refuse("target_malformed");
  const query = mark < 0 ? "" : target.slice(mark + 1);
  if (!PATH.test(path) && !PATH_WITH_ENCODED_SEGMENT.test(path)) return refuse("target_malformed");
  if (path.includes("//"))
    return refuse("target_malformed", "the path has '//', remove the slash at the end of the base URL");
  if (DOT_SEGMENT.test(path) || !QUERY.test(query)) return refuse("target_malformed");
  exchange.path = takeEnvironment(exchange, path);
  exchange.query = query;
  return undefined;
}

/** `/e/prod/oauth/token`, and RFC 8414's place for the metadata of an issuer with a path. */
const OF_ENVIRONMENT =
  /^(?:\/e\/([a-z][a-z0-9]{0,15})(\/.*)|(\/\.well-known\/oauth-authorization-server)\/e\/([a-z][a-z0-9]{0,15}))$/;

/** The path without the environment it is about. Only what an environment says of its tokens is found under one (`match`). */
function takeEnvironment(exchange: Exchange, path: string): string {
  const parts = OF_ENVIRONMENT.exec(path);
  if (!parts) return path;
  exchange.environmentPath = parts[1] ?? parts[4] ?? null;
  return parts[2] ?? parts[3] ?? path;
}

/** `/k/spp_…/api/chat`. The one place a credential stands in a path: a decoded dialect never begins like that. */
const PATH_SECRET = /^\/k\/([A-Za-z0-9_]{1,128})(\/.*)$/;

/** The path without its secret, which is kept apart and stands in no text from here on. */
function takePathSecret(exchange: Exchange, path: string): string | undefined {
  if (!path.startsWith("/k/")) return path;
  const parts = PATH_SECRET.exec(path);
  exchange.request.url = parts?.[2] ?? "/";
  if (!parts) return undefined;
  exchange.pathSecret = new Secret(parts[1]!);
  return parts[2];
}

/** Reads the headers that matter. Any repeated one is rejected, because two parsers would pick different ones. */
function readHeaders(exchange: Exchange): Refusal | undefined {
  const { rawHeaders } = exchange.request;
  const tooMany = tooManyHeaders(rawHeaders);
  if (tooMany) return tooMany;
  let hasExpect = false;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const value = rawHeaders[i + 1]!;
    let isRepeated = false;
    switch (rawHeaders[i]!.toLowerCase()) {
      case "host":
        isRepeated = exchange.host !== null;
        exchange.host = value;
        break;
      case "origin":
        isRepeated = exchange.origin !== null;
        exchange.origin = value;
        break;
      case "user-agent":
        // For information, never for decisions: the first of several is good enough.
        exchange.client ??= clientName(value);
        break;
      case "content-type":
        isRepeated = exchange.contentType !== null;
        exchange.contentType = value;
        break;
      case "content-encoding":
        isRepeated = exchange.contentEncoding !== null;
        exchange.contentEncoding = value;
        break;
      case "content-length":
        isRepeated = exchange.contentLength !== null;
        // Its form was checked by the HTTP parser.
        exchange.contentLength = Number(value);
        break;
      case "transfer-encoding":
        isRepeated = exchange.isChunked;
        exchange.isChunked = true;
        break;
      case "signature":
      case "signature-input":
        // How often each may come is the verifier's to say.
        exchange.hasSignature = true;
        break;
      case "x-sallyport-usage":
        exchange.asksForUsage = true;
        break;
      case "expect":
        isRepeated = hasExpect;
        hasExpect = true;
    }
    if (isRepeated) return refuse("header_malformed", `${rawHeaders[i]!.toLowerCase()} is repeated`);
  }
  return undefined;
}
