/**
 * A list of networks in CIDR form, IPv4 and IPv6 (RFC 4632, RFC 4291), and whether an address lies in one of them. An
 * IPv4 address inside IPv6 (`::ffff:10.0.0.1`) is the IPv4 address, in the list and when asked.
 */
import { BlockList, isIP } from "node:net";

/** Answers kept, so that the same few callers are not looked up again for each request. */
const ANSWERS_MAX = 1_024;

export class NetworkList {
  readonly #networks = new BlockList();
  readonly #answers = new Map<string, boolean>();
  /** As they were written, for people. */
  readonly texts: readonly string[];

  /** Throws a `RangeError` that names what is neither `address/prefix` nor an address. */
  constructor(texts: readonly string[]) {
    this.texts = texts;
    for (const text of texts) {
      const parsed = parseNetwork(text);
      if (!parsed) throw new RangeError(`not a network: ${text}`);
      this.#networks.addSubnet(parsed.address, parsed.bits, parsed.family);
    }
  }

  /** False for what is no address. */
  has(address: string): boolean {
    const held = this.#answers.get(address);
    if (held !== undefined) return held;
    const bare = normalizeAddress(address);
    const family = isIP(bare);
    const isInside = family !== 0 && this.#networks.check(bare, family === 6 ? "ipv6" : "ipv4");
    if (this.#answers.size >= ANSWERS_MAX) this.#answers.clear();
    this.#answers.set(address, isInside);
    return isInside;
  }
}

interface Network {
  readonly address: string;
  readonly bits: number;
  readonly family: "ipv4" | "ipv6";
}

/** `10.0.0.0/8`, `2001:db8::/32`, or one address. Strict: no zone, no leading zeros, no other spelling of a number. */
export function parseNetwork(text: string): Network | undefined {
  const parts = /^([0-9A-Fa-f:.]+)(?:\/(0|[1-9][0-9]{0,2}))?$/.exec(text);
  if (!parts) return undefined;
  const written = parts[1]!;
  const address = normalizeAddress(written);
  const family = isIP(address);
  if (family === 0) return undefined;
  const most = family === 4 ? 32 : 128;
  // A prefix of ::ffff:a.b.c.d counts the 96 bits before the IPv4 address too.
  const bits = parts[2] === undefined ? most : Number(parts[2]) - (address === written ? 0 : 96);
  return bits >= 0 && bits <= most ? { address, bits, family: family === 4 ? "ipv4" : "ipv6" } : undefined;
}

/** Every address of the narrow network lies in the wide one. False for what is no network. */
export function isNetworkWithin(narrow: string, wide: string): boolean {
  const [inner, outer] = [parseNetwork(narrow), parseNetwork(wide)];
  if (!inner || !outer || inner.family !== outer.family || inner.bits < outer.bits) return false;
  const list = new BlockList();
  list.addSubnet(outer.address, outer.bits, outer.family);
  return list.check(inner.address, inner.family);
}

const MAPPED = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i;
const MAPPED_HEX = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i;

/** `::ffff:127.0.0.1` and `::ffff:7f00:1` are `127.0.0.1`; a zone is dropped. */
export function normalizeAddress(address: string): string {
  const zone = address.indexOf("%");
  const bare = zone < 0 ? address : address.slice(0, zone);
  const dotted = MAPPED.exec(bare)?.[1];
  if (dotted !== undefined && isIP(dotted) === 4) return dotted;
  const hex = MAPPED_HEX.exec(bare);
  if (!hex) return bare;
  const [high, low] = [Number.parseInt(hex[1]!, 16), Number.parseInt(hex[2]!, 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** True for 127.0.0.0/8 and ::1. */
export function isLoopbackAddress(address: string): boolean {
  const bare = normalizeAddress(address);
  return isIP(bare) !== 0 && (bare === "::1" || bare.startsWith("127."));
}
