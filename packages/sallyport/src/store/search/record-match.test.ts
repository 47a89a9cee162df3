import { encodeEvent, FIRST_PREV, recordLine } from "@sallyport/ledger";
import { describe, expect, it } from "vitest";
import { makeMatchRecord, wantedOf } from "./record-match.ts";

const line = recordLine(
  5,
  FIRST_PREV,
  encodeEvent({
    type: "key.revoked",
    at: 1_000,
    environment: "dev",
    actor: "principal:p1",
    fields: { key: "AAAAAAAAAAAA", address: "10.0.200.7", note: '"code":"model_denied"' },
  }),
);
const fits = (filter: object): boolean => makeMatchRecord({ limit: 1, order: "newest", ...filter })(line) !== undefined;

describe("a record", () => {
  it.each([
    [{ key: "AAAAAAAAAAAA" }, true],
    [{ key: "AAAAAAAAAAAB" }, false],
    [{ principal: "p1" }, true],
    [{ actor: "principal:p1", type: "key.revoked", environment: "dev" }, true],
    [{ code: "model_denied" }, false],
    [{ environments: ["prod", "dev"] }, true],
    [{ environments: [] }, false],
    [{ types: ["key.issued"] }, false],
    [{ after: 4, before: 6 }, true],
    [{ after: 5 }, false],
    [{ before: 5 }, false],
    [{ since: 1_000, until: 1_000 }, true],
    [{ since: 1_001 }, false],
  ])("%j: %s", (filter, isFound) => {
    expect(fits(filter)).toBe(isFound);
  });

  it.each([
    ["10.0.200.7", true],
    ["::ffff:10.0.200.7", true],
    ["10.0.200.0/24", true],
    ["10.0.128.0/17", true],
    ["10.0.200.7/32", true],
    ["0.0.0.0/0", true],
    ["10.0.201.0/24", false],
    ["200.0.0.0/8", false],
    ["2001:db8::/32", false],
    ["::ffff:10.0.0.0/104", true],
    ["10.0.200.7/33", false],
  ])("address %s: %s", (address, isFound) => {
    expect(fits({ address })).toBe(isFound);
  });
});

it.each([
  ["2001:db8::1", "2001:db8::/32", true],
  ["10.1.2.3.4", "10.0.0.0/8", false],
  ["10.1.2", "10.0.0.0/8", false],
  ["10.1.2.999", "10.0.0.0/8", false],
  ["::ffff:10.1.2.3", "10.0.0.0/8", true],
  ["255.255.255.255", "255.255.255.255/32", true],
  ["", "0.0.0.0/0", false],
])("%j in %s: %s", (value, address, isInside) => {
  expect(wantedOf({ limit: 1, order: "newest", address })[0]!.accepts(value)).toBe(isInside);
});
