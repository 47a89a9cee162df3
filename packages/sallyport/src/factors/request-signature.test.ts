import { readFileSync } from "node:fs";
import { createPrivateKey, sign } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseContentDigest, sallyportProfile, signatureBase, signatureReasons } from "@sallyport/protocol";
import type { SignatureProfile } from "@sallyport/protocol";
import { digestMatches } from "./body-digest.ts";
import { verifyRequestSignature } from "./request-signature.ts";
import type { SignedRequest } from "./request-signature.ts";
import { makeSigner, verifySignature } from "./signer.ts";
import type { Signer, SignerAlgorithm } from "./signer.ts";

interface Vector extends Omit<SignedRequest, "rawHeaders"> {
  readonly what: string;
  readonly reason?: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}
interface RfcVector extends Vector {
  readonly section: string;
  readonly verdict: string;
  readonly base: string;
  readonly keyid?: string;
  readonly signature?: string;
}
const path = new URL("../../../../testdata/vectors/http-signatures.json", import.meta.url);
const vectors = JSON.parse(readFileSync(path, "utf8")) as {
  readonly keys: readonly { id: string; algorithm: SignerAlgorithm; text: string; private?: string }[];
  readonly rfc9421: readonly RfcVector[];
  readonly rfc9530: readonly { content: string; field: string; matches: boolean }[];
  readonly verified: readonly Vector[];
  readonly refused: readonly Vector[];
};
const signers = new Map(vectors.keys.map(({ id, algorithm, text }) => [id, makeSigner(id, algorithm, text) as Signer]));
const find = (keyid: string): Signer | undefined => signers.get(keyid);

/** The RFC's examples cover little and say little. */
const lenient: SignatureProfile = {
  ...sallyportProfile,
  components: [],
  bodyComponents: [],
  parameters: ["created"],
  tag: null,
  nonce: /./,
};
const requestOf = ({ headers, ...vector }: Vector): SignedRequest => ({ ...vector, rawHeaders: headers.flat() });

function verdictOf(vector: Vector, profile?: SignatureProfile): string {
  const verified = verifyRequestSignature(requestOf(vector), find, profile);
  if ("reason" in verified) return verified.reason;
  const { contentDigest } = verified;
  if (contentDigest && !digestMatches(contentDigest, Buffer.from(vector.body))) return "digest_mismatch";
  return "verified";
}

describe("RFC 9421, appendix B.2", () => {
  it.each(vectors.rfc9421)("$section is $verdict", (vector) => {
    if (vector.signature !== undefined) {
      expect(verifySignature(find(vector.keyid!)!, vector.base, vector.signature)).toBe(true);
      expect(verifySignature(find(vector.keyid!)!, `${vector.base} `, vector.signature)).toBe(false);
      return;
    }
    expect(verdictOf(vector, lenient)).toBe(vector.verdict);
    if (vector.base === "") return;
    const text = vector.headers.find(([name]) => name === "Signature-Input")![1];
    const names = [...text.matchAll(/"([^"]+)"(?=[ )])/g)].map((one) => one[1]!);
    expect(signatureBase(requestOf(vector), names, text.slice(text.indexOf("=") + 1))).toBe(vector.base);
  });

  it("is not enough for our own profile", () => {
    for (const vector of vectors.rfc9421.filter(({ signature }) => signature === undefined))
      expect(verdictOf(vector)).not.toBe("verified");
  });
});

describe("RFC 9530", () => {
  it.each(vectors.rfc9530)("$field", ({ content, field, matches }) => {
    const digest = parseContentDigest(field);
    if ("reason" in digest) throw new Error(digest.reason);
    expect(digestMatches(digest, Buffer.from(content))).toBe(matches);
  });
});

describe("our profile", () => {
  it.each(vectors.verified)("verified: $what", (vector) => expect(verdictOf(vector)).toBe("verified"));
  it.each(vectors.refused)("$reason: $what", (vector) => expect(verdictOf(vector)).toBe(vector.reason));

  it("every reason is in the vectors but those of the memory of nonces", () => {
    const seen = new Set(vectors.refused.map(({ reason }) => reason));
    expect(Object.keys(signatureReasons).filter((reason) => !seen.has(reason))).toEqual([
      "signature_before_start",
      "signature_replayed",
      "replay_key_full",
      "replay_store_full",
    ]);
  });

  it("answers what was verified, and no more", () => {
    const [vector] = vectors.verified;
    expect(verifyRequestSignature(requestOf(vector!), find)).toEqual({
      keyid: "test-key-ed25519",
      nonce: "b3k2pp5k7z-50gnwp_yemd",
      created: 1_700_000_000,
      expires: 1_700_000_060,
      contentDigest: { sha256: expect.any(String), sha512: null },
    });
  });

  it("a lookup that answers another key's signer is not believed", () => {
    const other = { ...signers.get("test-key-ed25519")!, id: "other" };
    expect(verifyRequestSignature(requestOf(vectors.verified[0]!), () => other)).toEqual({
      reason: "signature_unknown_key",
    });
  });
});

/** A vector's request as one text, in which one byte can be exchanged. */
const parts = (vector: Vector): string[] => [
  vector.method,
  vector.target,
  ...vector.headers.flat(),
  vector.environment,
  vector.body,
];
function fromParts(vector: Vector, [method, target, ...rest]: readonly string[]): Vector {
  const flat = rest.slice(0, -2);
  const headers = vector.headers.map((_, at) => [flat[2 * at]!, flat[2 * at + 1]!] as const);
  return { ...vector, method: method!, target: target!, headers, environment: rest.at(-2)!, body: rest.at(-1)! };
}

describe("changes nobody signed", () => {
  // What may change without harm: fields that are not covered.
  const isFree = (vector: Vector, part: number): boolean => {
    const [name] = vector.headers[Math.floor((part - 2) / 2)] ?? [""];
    return ["host", "content-length"].includes(name);
  };

  it("one byte of what is covered, or of the fields, is always noticed", () => {
    const vector = fc.constantFrom(...vectors.verified.filter(({ what }) => /^(HMAC|Ed25519|without|both)/.test(what)));
    fc.assert(
      fc.property(vector, fc.nat(), fc.nat(), fc.integer({ min: 0, max: 255 }), (chosen, partAt, at, code) => {
        const texts = parts(chosen);
        const part = partAt % texts.length;
        const text = texts[part]!;
        fc.pre(text.length > 0 && !isFree(chosen, part));
        const place = at % text.length;
        const changed = text.slice(0, place) + String.fromCharCode(code) + text.slice(place + 1);
        // Names of fields are the same in any case, and white space around a value is not part of it.
        const isName = part >= 2 && part < texts.length - 2 && part % 2 === 0;
        fc.pre(isName ? changed.toLowerCase() !== text.toLowerCase() : changed !== text);
        const verdict = verdictOf(fromParts(chosen, texts.toSpliced(part, 1, changed)));
        expect(verdict).not.toBe("verified");
        expect(verdict === "digest_mismatch" || Object.hasOwn(signatureReasons, verdict)).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  it("any two lines of fields may change their order", () => {
    for (const vector of vectors.verified)
      expect(verdictOf({ ...vector, headers: vector.headers.toReversed() })).toBe(
        /two lines/.test(vector.what) ? "signature_wrong" : "verified",
      );
  });

  it("whatever the fields are, the answer is a value", () => {
    const [vector] = vectors.verified;
    const token = fc.constantFrom('sig=("@method")', ";created=1", ';nonce="a"', "sig=:AAAA:", ",", '"', "(", ":", " ");
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(token).map((all) => all.join("")),
    );
    fc.assert(
      fc.property(text, text, text, fc.string(), fc.string(), (input, signature, digest, method, target) => {
        const rawHeaders = ["signature-input", input, "signature", signature, "content-digest", digest];
        const request = { ...requestOf(vector!), method, target, rawHeaders };
        for (const profile of [sallyportProfile, lenient])
          expect(verifyRequestSignature(request, find, profile)).toHaveProperty("reason");
      }),
      { numRuns: 3000 },
    );
  });
});

describe("signature_future and signature_expired", () => {
  it("follow the clock to the millisecond", () => {
    const vector = vectors.verified[0]!;
    const created = 1_700_000_000_000;
    const at = (now: number): string => verdictOf({ ...vector, now });
    expect([at(created - 5001), at(created - 5000)]).toEqual(["signature_future", "verified"]);
    expect([at(created + 59_999), at(created + 60_000)]).toEqual(["verified", "signature_expired"]);
  });
});

it("an Ed25519 signature is not repeated with another spelling of s", () => {
  const { private: key } = vectors.keys[0]!;
  const bytes = sign(null, Buffer.from("base"), createPrivateKey(key!));
  expect(verifySignature(find("test-key-ed25519")!, "base", bytes.toString("base64"))).toBe(true);
  // s + L (RFC 8032 section 5.1.7 demands s < L).
  const order = (1n << 252n) + 27742317777372353535851937790883648493n;
  let s = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString("hex")}`) + order;
  for (let i = 32; i < 64; i++, s >>= 8n) bytes[i] = Number(s & 255n);
  expect(verifySignature(find("test-key-ed25519")!, "base", bytes.toString("base64"))).toBe(false);
});
