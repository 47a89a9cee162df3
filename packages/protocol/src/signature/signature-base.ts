/**
 * The signature base (RFC 9421 section 2.5): the text that is signed. Accepted are the derived components of a request
 * that follow from its line and from what the gateway was configured to be, and plain fields.
 */
import { signatureFailure } from "./signature-failure.ts";
import type { SignatureFailure } from "./signature-failure.ts";

/** A request as both ends see it. */
export interface SignedMessage {
  /** As sent, case and all. */
  readonly method: string;
  /** Scheme and authority under which clients know the gateway: its configuration, never a header of the request. */
  readonly scheme: "http" | "https";
  /** `host` or `host:port`. */
  readonly authority: string;
  /** The request target in origin form, as sent: `/path?query`. */
  readonly target: string;
  /** Names and values in turn, a pair for each line. */
  readonly rawHeaders: readonly string[];
}

const DERIVED = new Set(["@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query"]);
const FIELD_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
/** Origin form (RFC 9112 section 3.2.1) without a fragment. */
const TARGET = /^\/[\x21\x22\x24-\x7e]*$/;
const METHOD = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const AUTHORITY = /^[\x21\x22\x24-\x2e\x30-\x3e\x41-\x7e]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e]*$/;

/** A component of the name may be covered. A signature does not cover signatures: that would have no meaning. */
export function isSupportedComponent(name: string): boolean {
  if (name.startsWith("@")) return DERIVED.has(name);
  return FIELD_NAME.test(name) && name !== "signature" && name !== "signature-input";
}

/**
 * The text to sign, ASCII only, or why it cannot be built. `parametersText` is the value of `@signature-params`. A
 * covered but missing component is a failure, never an empty line.
 */
export function signatureBase(
  message: SignedMessage,
  components: readonly string[],
  parametersText: string,
): string | SignatureFailure {
  if (!TARGET.test(message.target) || !METHOD.test(message.method) || !AUTHORITY.test(message.authority))
    return signatureFailure("signature_malformed");
  let base = "";
  for (const name of components) {
    const value = name.startsWith("@") ? derivedValue(message, name) : fieldValue(message.rawHeaders, name);
    if (value === undefined) return signatureFailure("signature_component_absent", name);
    if (!FIELD_VALUE.test(value)) return signatureFailure("signature_component_malformed", name);
    base += `"${name}": ${value}\n`;
  }
  return `${base}"@signature-params": ${parametersText}`;
}

function derivedValue({ method, scheme, authority, target }: SignedMessage, name: string): string | undefined {
  const question = target.indexOf("?");
  switch (name) {
    case "@method":
      return method;
    case "@target-uri":
      return `${scheme}://${canonicalAuthority(scheme, authority)}${target}`;
    case "@authority":
      return canonicalAuthority(scheme, authority);
    case "@scheme":
      return scheme;
    case "@request-target":
      return target;
    case "@path":
      return question < 0 ? target : target.slice(0, question);
    case "@query":
      // An absent query is signed like an empty one (section 2.2.7).
      return question < 0 ? "?" : target.slice(question);
    default:
      return undefined;
  }
}

/** Lower case, without the scheme's own port (RFC 9421 section 2.2.3). */
export function canonicalAuthority(scheme: "http" | "https", authority: string): string {
  const lower = authority.toLowerCase();
  const ownPort = scheme === "http" ? ":80" : ":443";
  return lower.endsWith(ownPort) ? lower.slice(0, -ownPort.length) : lower;
}

/** The lines of a field, trimmed and joined (RFC 9421 section 2.1); undefined without any. */
export function fieldValue(rawHeaders: readonly string[], name: string): string | undefined {
  let joined: string | undefined;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const sent = rawHeaders[i]!;
    if (sent.length !== name.length || (sent !== name && sent.toLowerCase() !== name)) continue;
    const value = trimSpaces(rawHeaders[i + 1]!);
    joined = joined === undefined ? value : `${joined}, ${value}`;
  }
  return joined;
}

/** `trim()` would remove more than spaces and tabs, and with it what has to be rejected. */
function trimSpaces(value: string): string {
  let from = 0;
  let to = value.length;
  while (from < to && isSpace(value.charCodeAt(from))) from++;
  while (to > from && isSpace(value.charCodeAt(to - 1))) to--;
  return from === 0 && to === value.length ? value : value.slice(from, to);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
