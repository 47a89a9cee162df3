import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatKeyText, KEY_PATTERN, keyPrefixes, parseKeyText, withoutSecret } from "./key-text.ts";
import type { KeyPrefix } from "./key-text.ts";

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** Small, seeded, and good enough to make texts (mulberry32). */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
const random = randomOf(1);
const word = (length: number): string => Array.from({ length }, () => BASE62[random(62)]).join("");
const prefixes = Object.keys(keyPrefixes) as KeyPrefix[];
const aKey = (): string => {
  const environment = `${BASE62[36 + random(26)]}${word(random(15)).toLowerCase()}`;
  return formatKeyText(prefixes[random(prefixes.length)]!, environment, word(12), word(43));
};

describe("a text without secrets", () => {
  it("has the ids of 1,000 keys, whole, shortened or with more around them", () => {
    for (let i = 0; i < 1_000; i++) {
      const key = aKey();
      const { id } = parseKeyText(key)!;
      const idEnd = key.indexOf(id) + id.length;
      const shortened = key.slice(0, idEnd + random(key.length - idEnd + 1));
      expect(withoutSecret(shortened)).toBe(id);
      expect(withoutSecret(`Bearer '${key}' and ${key}`)).toBe(`Bearer '${id}' and ${id}`);
    }
  });

  it.each(["", "billing bot", "0123456789ab", "sp_dev_short", "sp_dev_0123456789", "über sp_"])(
    "%j is as it was",
    (text) => expect(withoutSecret(text)).toBe(text),
  );
});

describe("the published pattern", () => {
  it("finds every one of 10,000 keys in a text, and each checksum fits", () => {
    for (let i = 0; i < 10_000; i++) {
      const key = aKey();
      // A word character on either side is no reason to miss it.
      const found = `KEY_${key}_x`.match(KEY_PATTERN);
      expect(found).toEqual([key]);
      expect(parseKeyText(found![0])).toBeDefined();
    }
  });

  it("finds none of a million random words, nor what only looks like a key", () => {
    let found = 0;
    for (let i = 0; i < 1_000_000; i++) if (parseKeyText(word(1 + random(90))) !== undefined) found++;
    for (let i = 0; i < 1_000_000; i++) if (KEY_PATTERN.test(word(20))) found++;
    expect(found).toBe(0);
    let looksRight = 0;
    for (let i = 0; i < 100_000; i++) {
      const text = `sp_dev_${word(12)}_${word(49)}`;
      expect(KEY_PATTERN.test(text)).toBe(true);
      KEY_PATTERN.lastIndex = 0;
      if (parseKeyText(text)) looksRight++;
    }
    expect(looksRight).toBe(0);
  });
});

it("a key cut, lengthened, of another prefix or with any one character changed is none", () => {
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(...BASE62.split(""), "_", " ", "-"), (seed, other) => {
      const key = aKey();
      const at = seed % key.length;
      const changed = key.slice(0, at) + other + key.slice(at + 1);
      if (changed !== key) expect(parseKeyText(changed)).toBeUndefined();
      expect(parseKeyText(key.slice(0, at))).toBeUndefined();
      expect(parseKeyText(key + other)).toBeUndefined();
      for (const prefix of prefixes) {
        const moved = prefix + key.slice(key.indexOf("_"));
        if (moved !== key) expect(parseKeyText(moved)).toBeUndefined();
      }
    }),
  );
});
