import { generateKeyPairSync, sign } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ledgerCrypto } from "@sallyport/ledger/node";
import { browserCrypto } from "./browser-crypto.ts";
import { judgeProof } from "./proof-verdict.ts";

const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const key = new Uint8Array(Buffer.from(publicKey.export({ format: "jwk" }).x!, "base64url"));
const bytes = fc.uint8Array({ maxLength: 200 });
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((one) => Buffer.from(one).toString("hex"));

describe("a browser's cryptography is the gateway's", () => {
  it("hashes bytes, texts and trees alike", () => {
    fc.assert(
      fc.property(bytes, fc.string({ unit: "grapheme" }), hash, hash, (some, text, left, right) => {
        expect(browserCrypto.sha256(some)).toBe(ledgerCrypto.sha256(some));
        expect(browserCrypto.sha256Text(text)).toBe(ledgerCrypto.sha256Text(text));
        expect(browserCrypto.tree.leaf(text)).toBe(ledgerCrypto.tree.leaf(text));
        expect(browserCrypto.tree.node(left, right)).toBe(ledgerCrypto.tree.node(left, right));
      }),
      { numRuns: 200 },
    );
  });

  it("takes what was signed, and neither another text, key or signature, nor bytes of another length", () => {
    fc.assert(
      fc.property(bytes, fc.nat(63), fc.integer({ min: 1, max: 255 }), (message, at, flip) => {
        const signature = new Uint8Array(sign(null, message, privateKey));
        expect(browserCrypto.verify(key, message, signature)).toBe(true);
        const other = Uint8Array.from(signature, (byte, i) => (i === at ? byte ^ flip : byte));
        expect(browserCrypto.verify(key, message, other)).toBe(false);
        expect(browserCrypto.verify(key, Uint8Array.of(...message, 0), signature)).toBe(false);
        expect(browserCrypto.verify(key.slice(1), message, signature)).toBe(false);
        expect(browserCrypto.verify(key, message, signature.slice(1))).toBe(false);
      }),
      { numRuns: 20 },
    );
  });

  it("refuses, like Node, a signature whose scalar is not reduced (RFC 8032, 5.1.7)", () => {
    const message = new TextEncoder().encode("a checkpoint");
    const signature = sign(null, message, privateKey);
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const scalar = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString("hex")}`) + order;
    const unreduced = Buffer.concat([
      signature.subarray(0, 32),
      Buffer.from(scalar.toString(16).padStart(64, "0"), "hex").reverse(),
    ]);
    expect(ledgerCrypto.verify(key, message, unreduced)).toBe(false);
    expect(browserCrypto.verify(key, message, unreduced)).toBe(false);
  });
});

it.each(["", "c2sp.org/tlog-proof@v1\n", "<script>", "c2sp.org/tlog-proof@v1\nextra AAAA\nindex 0\n\n"])(
  "%j is no proof",
  (text) => {
    expect(judgeProof(text)).toMatchObject({ ok: false });
  },
);
