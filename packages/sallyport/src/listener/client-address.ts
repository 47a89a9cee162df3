/**
 * Who is on the other end of the socket. Without trusted proxies it is the peer. With them, X-Forwarded-For is read from
 * the right, hop by hop, for as long as the hop is a trusted proxy; the first that is not is the client (R16).
 */
import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";

export interface AddressRules {
  /** Null: no proxy is trusted and the header is not looked at. */
  readonly trusted: BlockList | null;
}

/** Throws on a text that is not `address/prefix` or an address. */
export function makeAddressRules(cidrs: readonly string[]): AddressRules {
  if (cidrs.length === 0) return { trusted: null };
  const trusted = new BlockList();
  for (const cidr of cidrs) {
    const [network = "", prefix] = cidr.split("/");
    const family = isIP(network);
    const bits = prefix === undefined ? (family === 4 ? 32 : 128) : Number(prefix);
    if (family === 0 || !Number.isInteger(bits) || bits < 0 || bits > (family === 4 ? 32 : 128)) {
      throw new RangeError(`not a network: ${cidr}`);
    }
    trusted.addSubnet(network, bits, family === 4 ? "ipv4" : "ipv6");
  }
  return { trusted };
}

/** `::ffff:127.0.0.1` is the same as `127.0.0.1`; a zone is dropped. */
export function normalizeAddress(address: string): string {
  const bare = address.startsWith("::ffff:") && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
  const zone = bare.indexOf("%");
  return zone < 0 ? bare : bare.slice(0, zone);
}

export function isTrusted(rules: AddressRules, address: string): boolean {
  return rules.trusted !== null && rules.trusted.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

/** The client's address, or undefined when a trusted proxy's header cannot be understood. */
export function clientAddress(rules: AddressRules, request: IncomingMessage): string | undefined {
  let address = normalizeAddress(request.socket.remoteAddress ?? "");
  if (rules.trusted === null || !isTrusted(rules, address)) return address;
  const header = request.headers["x-forwarded-for"];
  const hops = header === undefined ? [] : String(header).split(",");
  if (hops.length > 32) return undefined;
  for (let i = hops.length - 1; i >= 0; i--) {
    const hop = normalizeAddress(hops[i]!.trim());
    if (isIP(hop) === 0) return undefined;
    address = hop;
    if (!isTrusted(rules, hop)) break;
  }
  return address;
}
