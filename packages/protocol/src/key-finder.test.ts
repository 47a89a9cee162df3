import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findKeys, KeyFinder, keysInText } from "./key-finder.ts";
import { formatKeyText, keyPrefixes } from "./key-text.ts";
import type { KeyPrefix } from "./key-text.ts";

const base62 = fc.constantFrom(..."0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".split(""));
const word = (length: number) => fc.string({ unit: base62, minLength: length, maxLength: length });
const aKey = fc
  .tuple(
    fc.constantFrom(...(Object.keys(keyPrefixes) as KeyPrefix[])),
    fc.stringMatching(/^[a-z][a-z0-9]{0,15}$/),
    word(12),
    word(43),
  )
  .map(([prefix, environment, id, secret]) => formatKeyText(prefix, environment, id, secret));
const around = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.string({ unit: fc.oneof(base62, fc.constant("_")), maxLength: 200 }),
);

describe("the pass over bytes", () => {
  it("finds a key whatever stands beside it, once, where it is", () => {
    fc.assert(
      fc.property(aKey, around, around, (key, before, after) => {
        const bytes = Buffer.from(before + key + after);
        const found: string[] = [];
        findKeys(bytes, ({ start, end }) => found.push(bytes.toString("latin1", start, end)));
        expect(found).toEqual([key]);
      }),
      { numRuns: 2_000 },
    );
  });

  it("finds keys that touch each other", () => {
    fc.assert(
      fc.property(fc.array(aKey, { minLength: 2, maxLength: 4 }), (keys) => {
        expect(keysInText(keys.join("")).length).toBe(keys.length);
      }),
    );
  });

  it("finds a key across any borders of chunks, once, at its offset", () => {
    fc.assert(
      fc.property(
        aKey,
        around,
        around,
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }),
        (key, a, b, sizes) => {
          const bytes = Buffer.from(a + key + b);
          const found: string[] = [];
          const finder = new KeyFinder(({ start, end }) => found.push(bytes.toString("latin1", start, end)));
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const size = sizes[i % sizes.length]!;
            finder.push(bytes.subarray(at, at + size));
            at += size;
          }
          expect(found).toEqual([key]);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it("lets the checksum decide", () => {
    fc.assert(
      fc.property(aKey, base62, (key, other) => {
        if (!key.endsWith(other)) expect(keysInText(key.slice(0, -1) + other)).toEqual([]);
      }),
    );
  });
});
