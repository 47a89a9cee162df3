import { createHmac, randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { HmacKey } from "./hmac.ts";

const keyLength = fc.integer({ min: 0, max: 64 });

test("it is HMAC-SHA-256 of any text", () => {
  fc.assert(
    fc.property(keyLength, fc.string({ unit: "grapheme", maxLength: 200 }), (length, text) => {
      const bytes = randomBytes(length);
      expect(new HmacKey(bytes).of(text)).toEqual(createHmac("sha256", bytes).update(text).digest());
    }),
  );
});

test("ASCII has the same code in either encoding", () => {
  fc.assert(
    fc.property(keyLength, fc.stringMatching(/^[\x20-\x7e]{0,200}$/), (length, text) => {
      const key = new HmacKey(randomBytes(length));
      expect(key.of(text, "latin1")).toEqual(key.of(text));
    }),
  );
});

test("a key that would have to be hashed first is rejected", () => {
  expect(() => new HmacKey(Buffer.alloc(65))).toThrow(RangeError);
});
