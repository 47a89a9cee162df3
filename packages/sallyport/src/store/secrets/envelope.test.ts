import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyIdOf, NotAuthentic, openUnder, sealUnder } from "./envelope.ts";

const key = { id: "k1", bytes: randomBytes(32) };
const purpose = "key-secret/dev/abc/2";

describe("the envelope", () => {
  it("gives back what was sealed, under its key and for its purpose", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.string(), (bytes, place) => {
        const sealed = sealUnder(key, place, Buffer.from(bytes));
        expect(keyIdOf(sealed)).toBe("k1");
        expect(openUnder(key, place, sealed)).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it("never seals the same twice, and shows nothing of it", () => {
    const texts = Array.from({ length: 100 }, () => sealUnder(key, purpose, Buffer.from("a secret, told to nobody")));
    expect(new Set(texts).size).toBe(100);
    for (const text of texts)
      expect(Buffer.from(text.slice(11), "base64url").toString("latin1")).not.toContain("secret");
  });

  it.each([
    ["another purpose", key, "key-secret/dev/abc/3"],
    ["another environment", key, "key-secret/prod/abc/2"],
    ["another key of the same name", { id: "k1", bytes: randomBytes(32) }, purpose],
    ["the same key under another name", { id: "k2", bytes: key.bytes }, purpose],
  ])("does not open for %s", (_, opener, place) => {
    const sealed = sealUnder(key, purpose, Buffer.from("x"));
    expect(() => openUnder(opener, place, sealed)).toThrow(NotAuthentic);
    expect(() => openUnder(opener, place, sealed.replace("k1", opener.id))).toThrow(NotAuthentic);
  });

  it("does not open with any bit turned over, cut, or in another form", () => {
    const sealed = sealUnder(key, purpose, Buffer.from("0123456789"));
    const bytes = Buffer.from(sealed.slice(11), "base64url");
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const turned = Buffer.from(bytes);
      turned[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => openUnder(key, purpose, `sealed1.k1.${turned.toString("base64url")}`)).toThrow(NotAuthentic);
    }
    const forms = [
      "",
      "sealed1.k1.",
      sealed.slice(0, -1),
      `${sealed}A`,
      sealed.replace("sealed1", "sealed2"),
      "0123456789",
    ];
    for (const form of forms) expect(() => openUnder(key, purpose, form)).toThrow(NotAuthentic);
  });
});
