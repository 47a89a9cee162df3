import { hash } from "node:crypto";
import { expect, it } from "vitest";
import { formatVerifierKey, noteVerifier } from "@sallyport/ledger";
import { witnessList, witnessOf } from "./witness-settings.ts";

const sha256 = (bytes: Uint8Array): string => hash("sha256", bytes, "hex");
const witness = noteVerifier(sha256, "witness.example/w1", "cosignature", new Uint8Array(32).fill(7));
const key = formatVerifierKey(witness);
const url = "https://witness.example";

it("reads witnesses with their defaults", () => {
  expect(witnessList.parse([{ url, key }]).map(witnessOf)).toEqual([
    { url, witness, environments: null, everyMs: 300_000 },
  ]);
  const whole = { url: "http://127.0.0.1:11437", key, environments: ["prod", "system"], every: "1h" };
  expect(witnessOf(witnessList.parse([whole])[0]!)).toMatchObject({
    environments: ["prod", "system"],
    everyMs: 3_600_000,
  });
});

it.each([
  ["a plain address beyond loopback", { url: "http://witness.example", key }],
  ["no key", { url }],
  ["a key that is none", { url, key: "BAAA" }],
  ["a key with another name", { url, key: key.replace("w1", "w2") }],
  ["a witness asked without end", { url, key, every: "1s" }],
  ["an unknown member", { url, key, name: "w" }],
  ["an environment that is no name", { url, key, environments: ["../x"] }],
])("refuses %s", (_, one) => {
  expect(witnessList.safeParse([one]).success).toBe(false);
});

it("refuses the same witness twice", () => {
  expect(
    witnessList.safeParse([
      { url, key },
      { url: "https://other.example", key },
    ]).success,
  ).toBe(false);
});
