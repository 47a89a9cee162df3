/** Where an upstream is: the server behind its address, whether anything may be forwarded there at all, and whether a list allows it. Pure. */
import { isIP } from "node:net";
import { isLoopbackAddress, NetworkList, normalizeAddress } from "../kernel/network-list.ts";

/**
 * Never a model server: "this host", link-local addresses (a cloud's metadata service answers there), its other fixed
 * addresses, and multicast. Loopback and private networks are where model servers are.
 */
const NEVER = new NetworkList([
  "0.0.0.0/8",
  "169.254.0.0/16",
  "100.100.100.200/32",
  "224.0.0.0/4",
  "255.255.255.255/32",
  "::/128",
  "fe80::/10",
  "fd00:ec2::/32",
  "ff00::/8",
]);
const NEVER_NAMES = /^(?:metadata(?:\.google\.internal)?|instance-data(?:\.ec2\.internal)?)$/;

/** True for an address nothing is ever forwarded to, also where a name stands for it. */
export function isNeverUpstream(address: string): boolean {
  return NEVER.has(address) || NEVER.has(embeddedIpv4(address) ?? "");
}

/** NAT64 and 6to4 addresses that lead to an IPv4 address. */
function embeddedIpv4(address: string): string | undefined {
  const nat64 = /^64:ff9b::([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(address);
  const sixToFour = /^2002:([0-9a-f]{1,4}):([0-9a-f]{1,4}):/i.exec(address);
  const [, high, low] = nat64 ?? sixToFour ?? [];
  if (high === undefined || low === undefined) return undefined;
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return `${a >> 8}.${a & 255}.${b >> 8}.${b & 255}`;
}

interface Place {
  /** Address without brackets, or a name in lower case. */
  readonly host: string;
  readonly port: number;
}

function readPlace(url: string): Place {
  const { protocol, hostname, port } = new URL(url);
  const bare = hostname
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "")
    .toLowerCase();
  return { host: normalizeAddress(bare), port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port) };
}

/** The same server under its different names: `localhost`, `127.0.0.2` and `[::1]` are one host. */
export function upstreamPlaceOf(url: string): string {
  const { host, port } = readPlace(url);
  const isHere = host === "localhost" || host.endsWith(".localhost") || isLoopbackAddress(host);
  return `${isHere ? "127.0.0.1" : host}:${port}`;
}

/** Why nothing is ever forwarded there; undefined where something may be. */
export function refusePlace(url: string): string | undefined {
  const { host } = readPlace(url);
  if (isNeverUpstream(host) || NEVER_NAMES.test(host))
    return `${url} is a link-local, metadata, unspecified or multicast address: nothing is forwarded there`;
  return undefined;
}

/** `host`, `host:port`, an address, or a network; a name matches itself only. */
export function isListedPlace(url: string, list: readonly string[]): boolean {
  const { host, port } = readPlace(url);
  return list.some((entry) => {
    if (entry.includes("/")) return isIP(host) !== 0 && new NetworkList([entry]).has(host);
    const parts = /^(?:\[([^\]]+)\]|([^:]+))(?::([0-9]+))?$/.exec(entry) ?? [undefined, undefined, entry];
    const wanted = normalizeAddress((parts[1] ?? parts[2] ?? entry).toLowerCase());
    return wanted === host && (parts[3] === undefined || Number(parts[3]) === port);
  });
}
