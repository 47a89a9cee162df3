// Writes testdata/vectors/http-signatures.json: requests with real signatures, and what a verifier must say of each. The
// signature bases are written here by hand, line for line, not by the code that is tested. Every refused one is signed
// over what a careless verifier would read, so that only the rule in question stands in its way.
import { createHash, createHmac, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { refusedCases } from "./signature-vectors/refused.js";
import { rfc9421, rfc9530 } from "./signature-vectors/rfc.js";
import { signedRequests } from "./signature-vectors/signed-requests.js";
import { verifiedCases } from "./signature-vectors/verified.js";

/** The keys of RFC 9421, appendix B.1.3 to B.1.5: public, for tests only. */
const pem = (label, ...lines) => `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
const edKey = pem("PRIVATE KEY", "MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF");
const ecKey = pem(
  "EC PRIVATE KEY",
  "MHcCAQEEIFKbhfNZfpDsW43+0+JjUr9K+bTeuxopu653+hBaXGA7oAoGCCqGSM49",
  "AwEHoUQDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lfw0EkjqF7xB4FivAxzic30tMM",
  "4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==",
);
const secret = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";
const publicPem = (key) => createPublicKey(key).export({ type: "spki", format: "pem" });

const hmac = (key, base) => createHmac("sha256", key).update(base).digest();
const signers = {
  "test-key-ed25519": (base) => sign(null, base, createPrivateKey(edKey)),
  "test-key-ecc-p256": (base) => sign("sha256", base, { key: createPrivateKey(ecKey), dsaEncoding: "ieee-p1363" }),
  "test-key-ecc-p256 in DER": (base) => sign("sha256", base, createPrivateKey(ecKey)),
  "test-shared-secret": (base) => hmac(Buffer.from(secret, "base64"), base),
  // Whoever checks an HMAC with whatever is registered can be given one that anybody can make.
  "hmac under the public key's PEM": (base) => hmac(publicPem(edKey), base),
  "hmac under the public key's bytes": (base) =>
    hmac(createPublicKey(edKey).export({ type: "spki", format: "der" }).subarray(-32), base),
};
const digests = {
  sha256: (body) => createHash("sha256").update(body).digest("base64"),
  sha512: (body) => createHash("sha512").update(body).digest("base64"),
};
const signWith = (who, base) => signers[who](Buffer.from(base, "latin1")).toString("base64");

const make = signedRequests(signWith, digests);
const vectors = {
  about: "RFC 9421 and RFC 9530 as Sallyport takes them; written by tools/keep-signature-vectors.js",
  keys: [
    { id: "test-key-ed25519", algorithm: "ed25519", text: publicPem(edKey), private: edKey },
    { id: "test-key-ecc-p256", algorithm: "ecdsa-p256-sha256", text: publicPem(ecKey), private: ecKey },
    { id: "test-shared-secret", algorithm: "hmac-sha256", text: Buffer.from(secret, "base64").toString("base64url") },
  ],
  rfc9421: rfc9421(),
  rfc9530: rfc9530(digests),
  verified: verifiedCases(make),
  refused: refusedCases(make, digests),
};
// A vector a line, so that a change shows as the lines it changes.
const part = (name, value) =>
  Array.isArray(value)
    ? `"${name}": [\n${value.map((one) => JSON.stringify(one)).join(",\n")}\n]`
    : `"${name}": ${JSON.stringify(value)}`;
const text = Object.entries(vectors).map(([name, value]) => part(name, value));
writeFileSync(new URL("../testdata/vectors/http-signatures.json", import.meta.url), `{\n${text.join(",\n")}\n}\n`);
console.log(`${vectors.rfc9421.length + vectors.verified.length + vectors.refused.length} vectors written`);
