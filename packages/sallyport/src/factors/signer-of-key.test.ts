import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { expect, test } from "vitest";
import { keyOf } from "../../../../test/builders.ts";
import type { KeySigner } from "../keys/key.ts";
import { readRegisteredKey } from "./registered-key.ts";
import { hmacSecret, signerOf } from "./signer-of-key.ts";
import { verifySignature } from "./signer.ts";

const pepper = { version: 3, bytes: Buffer.alloc(32, 4) };
const peppers = {
  get: (environment: string, version: number) => (environment === "dev" && version === 3 ? pepper : undefined),
};
const base: Omit<KeySigner, "id" | "algorithm" | "material"> = { use: "request", createdAt: 0, createdBy: "x" };

test("a public key is read in each form people have it in, and its fingerprint is ssh-keygen's", () => {
  const { publicKey } = generateKeyPairSync("ed25519");
  const forms = [
    publicKey.export({ type: "spki", format: "pem" }).toString(),
    JSON.stringify(publicKey.export({ format: "jwk" })),
    publicKey.export({ type: "spki", format: "der" }).toString("base64"),
  ].map(readRegisteredKey);
  expect(new Set(forms.map((one) => `${one?.fingerprint} ${one?.material} ${one?.algorithm}`)).size).toBe(1);
  // Made by `ssh-keygen -lf`.
  const line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUsSgVg2tdvJLyYKKz92Ogu4ASVsK3f9amIgnslQAUq me@laptop";
  expect(readRegisteredKey(line)?.fingerprint).toBe("SHA256:tPhm2UfD5zXrgpZITezzV5n/30x6TJ2C9yl/Xf9gvxs");
  const { publicKey: p256 } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  expect(readRegisteredKey(p256.export({ type: "spki", format: "pem" }).toString())?.algorithm).toBe(
    "ecdsa-p256-sha256",
  );
});

test("a private key, another curve, RSA and nonsense are not registered", () => {
  const { privateKey } = generateKeyPairSync("ed25519");
  const { publicKey: rsa } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const { publicKey: p384 } = generateKeyPairSync("ec", { namedCurve: "P-384" });
  const texts = [
    privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    rsa.export({ type: "spki", format: "pem" }).toString(),
    p384.export({ type: "spki", format: "pem" }).toString(),
    "",
    "ssh-ed25519 AAAA",
    "{}",
  ];
  expect(texts.map(readRegisteredKey)).toEqual(texts.map(() => undefined));
});

test("a signer is the key's own, for requests, of that id", () => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const {
    algorithm,
    fingerprint: id,
    material,
  } = readRegisteredKey(publicKey.export({ type: "spki", format: "pem" }).toString())!;
  const ollama: KeySigner = { ...base, use: "ollama", id: "other", algorithm, material };
  const key = keyOf({ signers: [{ ...base, id, algorithm, material }, ollama] });
  const signer = signerOf(key, id, peppers)!;
  expect(verifySignature(signer, "text", sign(null, Buffer.from("text"), privateKey).toString("base64"))).toBe(true);
  expect([signerOf(key, "other", peppers), signerOf(key, "nobody", peppers), signerOf(keyOf({ signers: [] }), id, peppers)]).toEqual([undefined, undefined, undefined]); // prettier-ignore
});

test("an HMAC secret follows from environment, key and id, and ends with its pepper", () => {
  const place = { environment: "dev", id: "k" };
  const secret = hmacSecret(place, "hmac-a", 3, peppers)!;
  expect(Buffer.from(secret, "base64url")).toHaveLength(32);
  expect(hmacSecret(place, "hmac-b", 3, peppers)).not.toBe(secret);
  expect(hmacSecret({ ...place, id: "other" }, "hmac-a", 3, peppers)).not.toBe(secret);
  expect(hmacSecret(place, "hmac-a", 4, peppers)).toBeUndefined();
  const key = keyOf({ signers: [{ ...base, id: "hmac-a", algorithm: "hmac-sha256", material: "3" }] });
  const mac = createHmac("sha256", Buffer.from(secret, "base64url")).update("text").digest("base64");
  expect(verifySignature(signerOf(key, "hmac-a", peppers)!, "text", mac)).toBe(true);
  const gone = keyOf({ signers: [{ ...base, id: "hmac-a", algorithm: "hmac-sha256", material: "9" }] });
  expect(signerOf(gone, "hmac-a", peppers)).toBeUndefined();
});
