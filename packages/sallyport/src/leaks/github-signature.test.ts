import { generateKeyPairSync, sign } from "node:crypto";
import { expect, it } from "vitest";
import { GithubKeys, readGithubKey } from "./github-signature.ts";

const ID = "b".repeat(64);
const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const pem = publicKey.export({ type: "spki", format: "pem" }) as string;
const body = Buffer.from('[{"token":"x"}]');
const signature = sign("sha256", body, privateKey).toString("base64");

function keys(read: (() => Promise<string>) | null) {
  const clock = { nowMs: 0, monotonic: () => clock.nowMs };
  return { clock, github: new GithubKeys({ clock, pinned: new Map(), read }) };
}

it("reads GitHub's keys for an id it does not know, at most once a minute, and keeps them", async () => {
  let reads = 0;
  const text = JSON.stringify({ public_keys: [{ key_identifier: ID, key: pem, is_current: true }] });
  const { clock, github } = keys(async () => (reads++, text));
  expect(await github.hasSigned(body, ID, signature)).toBe(true);
  expect(await github.hasSigned(body, ID, signature)).toBe(true);
  expect(reads).toBe(1);
  for (let at = 0; at < 20; at++) expect(await github.hasSigned(body, "c".repeat(64), signature)).toBe(false);
  expect(reads).toBe(1);
  clock.nowMs += 60_000;
  expect(await github.hasSigned(body, "c".repeat(64), signature)).toBe(false);
  expect(reads).toBe(2);
});

it("verifies nothing while GitHub cannot be read, and with what is no key", async () => {
  for (const read of [null, () => Promise.reject(new Error("down")), async () => "{}", async () => "nonsense"])
    expect(await keys(read).github.hasSigned(body, ID, signature)).toBe(false);
  const { github } = keys(async () => JSON.stringify({ public_keys: [{ key_identifier: ID, key: pem }] }));
  for (const wrong of ["", "AAAA", `${signature}AAAA`, null])
    expect(await github.hasSigned(body, ID, wrong)).toBe(false);
  for (const id of [null, "", ID.toUpperCase(), `${ID}\n`])
    expect(await github.hasSigned(body, id, signature)).toBe(false);
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 }).publicKey.export({ type: "spki", format: "pem" });
  expect(readGithubKey(rsa as string)).toBeUndefined();
});
