import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isLoopbackAddress, NetworkList, normalizeAddress, parseNetwork } from "./network-list.ts";

describe("networks", () => {
  const list = new NetworkList(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::ffff:172.16.0.0/108"]);

  test.each([
    ["10.1.2.3", true],
    ["::ffff:10.1.2.3", true],
    ["::ffff:0a01:0203", true],
    ["11.0.0.1", false],
    ["192.0.2.7", true],
    ["192.0.2.8", false],
    ["2001:db8:1::1", true],
    ["2001:db9::1", false],
    ["172.20.0.1", true],
    ["172.32.0.1", false],
    ["", false],
    ["nonsense", false],
    ["10.1.2.3.4", false],
    ["010.1.2.3", false],
    ["127.1", false],
    ["::1", false],
  ])("%s: %s", (address, isInside) => {
    expect(list.has(address)).toBe(isInside);
    expect(list.has(address)).toBe(isInside);
  });

  test.each([
    "",
    "x",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/08",
    "10.0.0/8",
    "1.2.3.4/8/9",
    "::1/129",
    "::ffff:1.2.3.4/95",
    "fe80::1%eth0",
    "127.1",
    "10.0.0.0/8 ",
  ])("%j is no network", (text) => {
    expect(parseNetwork(text)).toBeUndefined();
    expect(() => new NetworkList([text])).toThrow(RangeError);
  });

  test("an empty list holds nothing", () => {
    expect(new NetworkList([]).has("127.0.0.1")).toBe(false);
  });

  test("an IPv4 address is in a network when their first bits agree, however it is written", () => {
    const octets = fc.tuple(...Array.from({ length: 4 }, () => fc.integer({ min: 0, max: 255 })));
    fc.assert(
      fc.property(octets, octets, fc.integer({ min: 0, max: 32 }), (network, asked, bits) => {
        const number = (parts: readonly number[]): bigint => parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n);
        const shift = BigInt(32 - bits);
        const agrees = number(network) >> shift === number(asked) >> shift;
        const held = new NetworkList([`${network.join(".")}/${bits}`]);
        expect(held.has(asked.join("."))).toBe(agrees);
        expect(held.has(`::ffff:${asked.join(".")}`)).toBe(agrees);
      }),
    );
  });
});

test("what is loopback", () => {
  const of = (list: readonly string[]): boolean[] => list.map(isLoopbackAddress);
  expect(of(["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1"])).not.toContain(false);
  expect(of(["128.0.0.1", "::2", "localhost", "127.evil.example", ""])).not.toContain(true);
  expect(normalizeAddress("fe80::1%eth0")).toBe("fe80::1");
});
