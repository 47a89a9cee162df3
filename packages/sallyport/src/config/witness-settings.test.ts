import { expect, it } from "vitest";
import { witnessList, witnessOf } from "./witness-settings.ts";

const key = "witness.example/w1+0a1b2c3d+BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const url = "https://witness.example";

it("reads witnesses with their defaults", () => {
  expect(witnessList.parse([{ url, key }]).map(witnessOf)).toEqual([
    { url, key, environments: null, everyMs: 300_000 },
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
