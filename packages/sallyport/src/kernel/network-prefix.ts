/** The network an address belongs to, for counting: IPv4 /24, IPv6 /48. */
import { isIP } from "node:net";

/** `192.0.2.0/24`, `2001:db8:1::/48`; `unknown` for what is no address. IPv4-mapped IPv6 counts as IPv4. */
export function networkPrefix(address: string): string {
  const plain = address.toLowerCase().startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
  if (isIP(plain) === 4) return `${plain.slice(0, plain.lastIndexOf("."))}.0/24`;
  if (isIP(plain) !== 6) return "unknown";
  const groups = firstGroups(plain.split("%", 1)[0] ?? plain);
  while (groups.at(-1) === "0") groups.pop();
  return groups.length === 0 ? "::/48" : `${groups.join(":")}::/48`;
}

/** The first three groups, without leading zeros. */
function firstGroups(address: string): string[] {
  const [before = "", after] = address.split("::");
  const head = before === "" ? [] : before.split(":");
  const tail = after === undefined || after === "" ? [] : after.split(":");
  // A dotted end stands for two groups.
  const width = head.length + tail.length + (address.includes(".") ? 1 : 0);
  const zeros = after === undefined ? [] : Array.from({ length: 8 - width }, () => "0");
  return [...head, ...zeros, ...tail].slice(0, 3).map((group) => Number.parseInt(group, 16).toString(16));
}
