import { expect, it } from "vitest";
import { networkPrefix } from "./network-prefix.ts";

it.each([
  ["192.0.2.77", "192.0.2.0/24"],
  ["::ffff:192.0.2.77", "192.0.2.0/24"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"],
  ["2001:0DB8:0001::6", "2001:db8:1::/48"],
  ["2001:db8::1", "2001:db8::/48"],
  ["::1", "::/48"],
  ["::", "::/48"],
  ["fe80::1%eth0", "fe80::/48"],
  ["1::", "1::/48"],
  ["1:2:3:4:5:6:192.0.2.1", "1:2:3::/48"],
  ["", "unknown"],
  ["192.0.2", "unknown"],
  ["a b", "unknown"],
])("%s is in %s", (address, prefix) => expect(networkPrefix(address)).toBe(prefix));
