import { generateKeyPairSync, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeSigner, verifySignature } from "./signer.ts";
import { parseSshPublicKey } from "./ssh-public-key.ts";

const ed = generateKeyPairSync("ed25519");
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pemOf = (key: KeyObject): string => key.export({ type: "spki", format: "pem" }) as string;
const derOf = (key: KeyObject): Buffer => key.export({ type: "spki", format: "der" }) as Buffer;
const jwkOf = (key: KeyObject): string => JSON.stringify(key.export({ format: "jwk" }));
const wire = (...parts: (string | Buffer)[]): string =>
  Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      return [length, Buffer.from(part)];
    }),
  ).toString("base64");
const sshEd = `ssh-ed25519 ${wire("ssh-ed25519", derOf(ed.publicKey).subarray(-32))} ada@laptop\n`;
const sshEc = `ecdsa-sha2-nistp256 ${wire("ecdsa-sha2-nistp256", "nistp256", derOf(ec.publicKey).subarray(-65))}`;
const edForms = [pemOf(ed.publicKey), derOf(ed.publicKey).toString("base64"), jwkOf(ed.publicKey), sshEd];
const ecForms = [pemOf(ec.publicKey), derOf(ec.publicKey).toString("base64"), jwkOf(ec.publicKey), sshEc];

describe("a signing key", () => {
  it.each(edForms)("is Ed25519 in each of its forms: %s", (text) => {
    const signer = makeSigner("laptop", "ed25519", text)!;
    const signature = sign(null, Buffer.from("base"), ed.privateKey).toString("base64");
    expect(verifySignature(signer, "base", signature)).toBe(true);
    expect(verifySignature(signer, "bass", signature)).toBe(false);
    expect(makeSigner("laptop", "ecdsa-p256-sha256", text)).toBeUndefined();
    expect(makeSigner("laptop", "hmac-sha256", text)).toBeUndefined();
  });

  it.each(ecForms)("is P-256 in each of its forms: %s", (text) => {
    const signer = makeSigner("laptop", "ecdsa-p256-sha256", text)!;
    const key = { key: ec.privateKey, dsaEncoding: "ieee-p1363" as const };
    const signature = sign("sha256", Buffer.from("base"), key).toString("base64");
    expect(verifySignature(signer, "base", signature)).toBe(true);
    expect(verifySignature(signer, "bass", signature)).toBe(false);
    expect(makeSigner("laptop", "ed25519", text)).toBeUndefined();
    expect(makeSigner("laptop", "hmac-sha256", text)).toBeUndefined();
  });

  it("is a secret of 32 bytes or more, in the one spelling of base64url", () => {
    const make = (text: string): boolean => makeSigner("laptop", "hmac-sha256", text) !== undefined;
    expect(make(Buffer.alloc(32, 1).toString("base64url"))).toBe(true);
    expect(make(Buffer.alloc(128, 1).toString("base64url"))).toBe(true);
    expect(make(Buffer.alloc(31, 1).toString("base64url"))).toBe(false);
    expect(make(Buffer.alloc(129, 1).toString("base64url"))).toBe(false);
    expect(make(Buffer.alloc(32, 255).toString("base64"))).toBe(false);
    expect(make(`${"A".repeat(42)}B`)).toBe(false);
  });

  it.each(["", "a b", 'a"', "é", "-a", "a\n", "k".repeat(129)])("is not called %j", (id) =>
    expect(makeSigner(id, "ed25519", sshEd)).toBeUndefined(),
  );

  const point = (bytes: Buffer): string =>
    Buffer.concat([derOf(ec.publicKey).subarray(0, 26), bytes]).toString("base64");
  const edRaw = (hex: string): string =>
    Buffer.concat([derOf(ed.publicKey).subarray(0, 12), Buffer.from(hex, "hex")]).toString("base64");
  const { x, y } = JSON.parse(jwkOf(ec.publicKey)) as { x: string; y: string };
  it.each([
    ["a private key in PEM", ed.privateKey.export({ type: "pkcs8", format: "pem" }) as string],
    ["a private key in JWK", jwkOf(ed.privateKey)],
    ["RSA", pemOf(generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey)],
    ["P-384", pemOf(generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey)],
    ["X25519", pemOf(generateKeyPairSync("x25519").publicKey)],
    ["Ed448", pemOf(generateKeyPairSync("ed448").publicKey)],
    ["a point that is not on the curve", point(Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 1)]))],
    ["a compressed point", point(Buffer.concat([Buffer.from([2]), Buffer.from(x, "base64url")]))],
    ["a JWK with coordinates exchanged", JSON.stringify({ kty: "EC", crv: "P-256", x: y, y: x })],
    ["a JWK of another type", JSON.stringify({ kty: "oct", crv: "Ed25519", x })],
    ["no JSON", "{"],
    ["a .pub file with options", `restrict ${sshEd}`],
    ["a .pub file of two lines", sshEd + sshEd],
    ["a .pub file whose type is another", sshEd.replace("ssh-ed25519", "ecdsa-sha2-nistp256")],
    ["a .pub file cut short", sshEd.slice(0, 60)],
    ["something after the PEM", `${pemOf(ed.publicKey)}x`],
    ["something after the DER", Buffer.concat([derOf(ed.publicKey), Buffer.from([0])]).toString("base64")],
    ["the identity", edRaw(`01${"00".repeat(31)}`)],
    ["the identity, y with its sign", edRaw(`01${"00".repeat(30)}80`)],
    ["the identity, y above the prime", edRaw(`ee${"ff".repeat(30)}7f`)],
    ["a point of order eight", edRaw("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")],
    ["a point of order four", edRaw("00".repeat(32))],
    ["a point of order two", edRaw(`ec${"ff".repeat(30)}7f`)],
    ["nothing", ""],
    ["much", "A".repeat(3000)],
  ])("is not %s", (_, text) => {
    expect(makeSigner("laptop", "ed25519", text)).toBeUndefined();
    expect(makeSigner("laptop", "ecdsa-p256-sha256", text)).toBeUndefined();
  });

  it("whatever its text is, the answer is a value", () => {
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.json(), fc.constantFrom(...edForms, ...ecForms));
    const algorithm = fc.constantFrom("ed25519", "ecdsa-p256-sha256", "hmac-sha256" as const);
    fc.assert(
      fc.property(text, algorithm, fc.nat(), fc.string(), (whole, one, at, put) => {
        const place = at % (whole.length + 1);
        const changed = whole.slice(0, place) + put + whole.slice(place + put.length);
        const signer = makeSigner("k", one, changed);
        if (signer) expect(verifySignature(signer, "base", "AAAA")).toBe(false);
      }),
      { numRuns: 3000 },
    );
  });
});

describe("an OpenSSH public key", () => {
  it("has the fingerprint that ssh-keygen prints", () => {
    const line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKuZH2PZOcYbq84wBmU6sb+FLBznMDOwVMWiHnwsBq1W ada@laptop";
    expect(parseSshPublicKey(line)?.fingerprint).toBe("SHA256:3xm4Z0zPKzLwSk7TB+t19iKZnHCQxKEx1Kh4dQ4onO4");
    const ecdsa =
      "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBHrPXCR1bwUR1rWpZyMuUWajidkikYfnoG2QgFB9Qrm+4xshdV5k3L3M/XLhd39Lk6P6TSqdNcSfxbgCIGyq5UQ=";
    expect(parseSshPublicKey(ecdsa)?.fingerprint).toBe("SHA256:nar1TuYkLWnjD9uQXEQMhUIizSkMJenEjn3HHvThrNU");
  });
});
