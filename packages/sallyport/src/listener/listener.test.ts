import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "vitest";
import { normalizeAddress } from "../kernel/network-list.ts";
import { clientAddress, isTrusted, makeAddressRules } from "./client-address.ts";
import { extractCredential } from "./credential.ts";
import { HostNames } from "./host-names.ts";

function from(peer: string, forwarded?: string): IncomingMessage {
  return {
    socket: { remoteAddress: peer },
    rawHeaders: forwarded === undefined ? [] : ["X-Forwarded-For", forwarded],
  } as unknown as IncomingMessage;
}

describe("the client's address", () => {
  const trusted = makeAddressRules(["10.0.0.0/8", "fd00::/8"], 3);
  const oneHop = makeAddressRules(["10.0.0.0/8"]);

  test.each([
    ["no proxy is trusted: the header is not looked at", makeAddressRules([]), from("10.0.0.1", "6.6.6.6"), "10.0.0.1"],
    ["a peer that is no proxy", trusted, from("9.9.9.9", "6.6.6.6"), "9.9.9.9"],
    ["one hop", trusted, from("10.0.0.1", "6.6.6.6"), "6.6.6.6"],
    ["what the client wrote himself stands to the left", trusted, from("10.0.0.1", "127.0.0.1, 6.6.6.6"), "6.6.6.6"],
    ["two proxies", trusted, from("10.0.0.1", "1.1.1.1, 6.6.6.6, 10.0.0.2"), "6.6.6.6"],
    ["all are proxies", trusted, from("10.0.0.1", "10.0.0.3, 10.0.0.2"), "10.0.0.3"],
    [
      "more proxies than there are",
      makeAddressRules(["10.0.0.0/8"], 2),
      from("10.0.0.1", "6.6.6.6, 10.0.0.3, 10.0.0.2"),
      "10.0.0.3",
    ],
    [
      "a client of the proxies' own network writes the header himself",
      oneHop,
      from("10.0.0.1", "6.6.6.6, 10.0.0.7"),
      "10.0.0.7",
    ],
    ["IPv4 in IPv6", trusted, from("::ffff:10.0.0.1", "::ffff:6.6.6.6"), "6.6.6.6"],
    ["IPv6", trusted, from("fd00::1", "2001:db8::1"), "2001:db8::1"],
    ["not an address", trusted, from("10.0.0.1", "evil"), undefined],
    ["an address with a port", trusted, from("10.0.0.1", "6.6.6.6:80"), undefined],
    ["a long list", trusted, from("10.0.0.1", Array.from({ length: 40 }, () => "10.0.0.2").join(",")), undefined],
    ["no header", trusted, from("10.0.0.1"), "10.0.0.1"],
  ])("%s", (_, rules, request, address) => {
    expect(clientAddress(rules, request)).toBe(address);
  });

  test("all lines of the header are one list, wherever they stand", () => {
    const junk = Array.from({ length: 200 }, () => ["x-junk", "a"]).flat();
    const request = {
      socket: { remoteAddress: "10.0.0.1" },
      rawHeaders: ["x-forwarded-for", "1.1.1.1", ...junk, "X-Forwarded-For", "6.6.6.6, 10.0.0.2"],
    } as unknown as IncomingMessage;
    expect(clientAddress(trusted, request)).toBe("6.6.6.6");
  });

  test("rules are read strictly", () => {
    for (const text of ["10.0.0.0/33", "x/8", "10.0.0.0/-1", "10.0.0/8", "10.0.0.0/8.5"])
      expect(() => makeAddressRules([text])).toThrow(RangeError);
    expect(isTrusted(makeAddressRules(["::1"]), "::1")).toBe(true);
    expect(normalizeAddress("fe80::1%eth0")).toBe("fe80::1");
  });
});

describe("the credential", () => {
  test.each([
    [[], "credential_missing"],
    [["Authorization", "Bearer a"], "a"],
    [["AUTHORIZATION", "bearer   a"], "a"],
    [["X-Api-Key", " a "], "a"],
    [["Api-Key", "a"], "a"],
    [["Authorization", `Basic ${Buffer.from("user:a:b").toString("base64")}`], "a:b"],
    [["Authorization", `Basic ${Buffer.from("nocolon").toString("base64")}`], "credential_malformed"],
    [["Authorization", "Bearer a b"], "credential_malformed"],
    [["Authorization", "a"], "credential_malformed"],
    [["Authorization", ""], "credential_malformed"],
    [["Authorization", "Bearer a", "authorization", "Bearer a"], "credential_ambiguous"],
    [["Authorization", "Bearer a", "x-api-key", "b"], "credential_ambiguous"],
    [["x-api-key", "b", "Authorization", "Bearer a"], "credential_ambiguous"],
    [["Authorization", "Bearer a", "x-api-key", "a"], "a"],
    [["x-api-key", "a", "Authorization", "Bearer a"], "a"],
    [["Authorization", "Bearer a", "x-api-key", ""], "credential_malformed"],
    [["Authorization", "DPoP a", "x-api-key", "a"], "credential_ambiguous"],
    [["Authorization", `Basic ${Buffer.from("user:a").toString("base64")}`, "x-api-key", "a"], "credential_ambiguous"],
    [["Authorization", "Bearer a", "x-api-key", "a", "x-api-key", "a"], "credential_ambiguous"],
    [["Authorization", "Bearer a", "x-api-key", "a", "authorization", "Bearer a"], "credential_ambiguous"],
    [["Authorization", "Bearer a", "x-api-key", "a", "api-key", "a"], "credential_ambiguous"],
    [["Authorization", "Bearer a", "api-key", "a"], "credential_ambiguous"],
    [["api-key", "a", "x-api-key", "a"], "credential_ambiguous"],
    [["x-api-keys", "a", "cookie", "a"], "credential_missing"],
  ])("%j", (headers, said) => {
    const found = extractCredential(headers);
    expect(typeof found === "string" ? found : found.code).toBe(said);
  });
});

describe("host names", () => {
  const hosts = new HostNames(["Gateway.Example"]);
  test.each([
    "localhost",
    "localhost:11435",
    "127.0.0.1:1",
    "[::1]:1",
    "192.168.1.5",
    "app.localhost",
    "GATEWAY.example:443",
  ])("%s is answered", (host) => {
    expect(hosts.has(host)).toBe(true);
  });
  test.each([
    "evil.example",
    "gateway.example.evil",
    "localhost.evil",
    "",
    "a b",
    "127.0.0.1.nip.io",
    "user@localhost",
    "localhost:port",
    "[::1",
  ])("%j is not", (host) => {
    expect(hosts.has(host)).toBe(false);
  });
});
