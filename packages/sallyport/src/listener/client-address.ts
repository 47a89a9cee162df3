/**
 * Who is on the other end of the socket. Without trusted proxies it is the peer. With them, X-Forwarded-For is read from
 * the right, hop by hop: each hop that is a trusted proxy may say who came before it, but no more than `hops` of them
 * (R16). Without that number a client inside the proxies' own network could write the header himself and be believed.
 */
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { NetworkList, normalizeAddress } from "../kernel/network-list.ts";
import { headerLines } from "./header-form.ts";

export interface AddressRules {
  /** Null: no proxy is trusted and the header is not looked at. */
  readonly trusted: NetworkList | null;
  /** How many proxies stand one behind another, the peer counted; at least 1. */
  readonly hops: number;
}

const HOPS_READ_MAX = 32;

/** Throws on a text that is not `address/prefix` or an address. */
export function makeAddressRules(cidrs: readonly string[], hops = 1): AddressRules {
  return { trusted: cidrs.length === 0 ? null : new NetworkList(cidrs), hops };
}

export function isTrusted(rules: AddressRules, address: string): boolean {
  return rules.trusted !== null && rules.trusted.has(address);
}

/** The client's address, or undefined when a trusted proxy's header cannot be understood. */
export function clientAddress(rules: AddressRules, request: IncomingMessage): string | undefined {
  let address = normalizeAddress(request.socket.remoteAddress ?? "");
  if (rules.trusted === null || !isTrusted(rules, address)) return address;
  // All of its lines in their order are one list (RFC 9110, 5.3).
  const lines = headerLines(request.rawHeaders, "x-forwarded-for");
  const said = lines.length === 0 ? [] : lines.join(",").split(",");
  if (said.length > HOPS_READ_MAX) return undefined;
  for (let believed = 1; believed <= rules.hops && said.length > 0; believed++) {
    const hop = normalizeAddress(said.pop()!.trim());
    if (isIP(hop) === 0) return undefined;
    address = hop;
    if (!isTrusted(rules, hop)) break;
  }
  return address;
}
