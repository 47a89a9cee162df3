import type { AdminClient } from "@sallyport/client";
import { expect, it } from "vitest";
import { acceptNames } from "./resolve-names.ts";

const ID = "0123456789ab";
const KEYS = [
  { id: ID, name: "my-app", environment: "dev", state: "active" },
  { id: "ba9876543210", name: "my-app", environment: "dev", state: "revoked" },
  { id: "aaaaaaaaaaaa", name: "twice", environment: "dev", state: "active" },
  { id: "bbbbbbbbbbbb", name: "twice", environment: "prod", state: "active" },
];

function named() {
  const sent: [string, unknown][] = [];
  const call = async (route: string, input: unknown) => {
    if (route === "keys.list") return { keys: KEYS, next: null };
    sent.push([route, input]);
    return {};
  };
  const client = acceptNames({ call, tail: () => undefined, close: () => undefined } as unknown as AdminClient);
  const callNamed = (route: string, input: unknown) => (client as unknown as { call: typeof call }).call(route, input);
  return { call: callNamed, sent };
}

it.each([
  ["keys.revoke", { params: { id: "my-app" } }, { params: { id: ID } }],
  ["explain", { body: { keyId: "my-app", path: "/" } }, { body: { keyId: ID, path: "/" } }],
  ["incidents.open", { body: { keyId: "my-app", reason: "leaked" } }, { body: { keyId: ID, reason: "leaked" } }],
  ["audit.search", { query: { key: "my-app" } }, { query: { key: ID } }],
  ["of.tomorrow", { body: { keyId: "my-app" } }, { body: { keyId: ID } }],
])("%s takes the name of a key for its id", async (route, given, expected) => {
  const { call, sent } = named();
  await call(route, given);
  expect(sent).toEqual([[route, expected]]);
});

it("reports a name that no key has, and lists the keys of a name that two have", async () => {
  const { call, sent } = named();
  await expect(call("incidents.open", { body: { keyId: "another" } })).rejects.toMatchObject({ code: "not_found" });
  const twice = call("incidents.open", { body: { keyId: "twice" } });
  await expect(twice).rejects.toMatchObject({
    code: "input_invalid",
    mistakes: ["aaaaaaaaaaaa dev active", "bbbbbbbbbbbb prod active"],
  });
  expect(sent).toEqual([]);
});
