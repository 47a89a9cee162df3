import { createHmac, randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { hashKeyText, hashesAreEqual } from "./hash.ts";

test("it is HMAC-SHA-256", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 64 }), fc.stringMatching(/^[\x20-\x7e]{0,200}$/), (length, text) => {
      const bytes = randomBytes(length);
      expect(hashKeyText(text, { version: 1, bytes })).toEqual(
        createHmac("sha256", bytes).update(text, "latin1").digest(),
      );
    }),
  );
});

test("a hash of another length is not equal", () => {
  expect(hashesAreEqual(Buffer.alloc(32), Buffer.alloc(31))).toBe(false);
  expect(hashesAreEqual(Buffer.alloc(32), Buffer.alloc(32))).toBe(true);
});
