import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JSON_DEPTH_MAX, JsonCursor } from "./cursor.ts";
import { decodeString, encodeString } from "./decode-string.ts";
import { readJson } from "./read-json.ts";

const vectors = JSON.parse(
  readFileSync(new URL("../../../../../testdata/vectors/json-strict.json", import.meta.url), "utf8"),
) as { texts: { text: string; code: string | null }[]; bytes: { hex: string; code: string }[] };

function codeOf(bytes: Buffer): string | null {
  const read = readJson(bytes);
  return read.ok ? null : read.code;
}

describe("strict JSON", () => {
  test.each(vectors.texts)("$text is $code", ({ text, code }) => {
    expect(codeOf(Buffer.from(text, "utf8"))).toBe(code);
  });

  test.each(vectors.bytes)("bytes $hex are $code", ({ hex, code }) => {
    expect(codeOf(Buffer.from(hex, "hex"))).toBe(code);
  });

  test("reads what JSON.parse reads, and nothing it refuses", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: JSON_DEPTH_MAX / 8 }), (text) => {
        const read = readJson(Buffer.from(text, "utf8"));
        // A generated object may have one key twice in another spelling of the same text: JSON.parse hides that.
        if (!read.ok) return expect(read.code).toBe("json_duplicate_key");
        expect(JSON.stringify(read.value)).toBe(JSON.stringify(JSON.parse(text)));
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from('{}[]",:\\u0041tfnl e+-.1 \n\u00e9')) }), (text) => {
        const read = readJson(Buffer.from(text, "utf8"));
        if (read.ok) expect(() => JSON.parse(text) as unknown).not.toThrow();
      }),
      { numRuns: 5000 },
    );
  });

  test("a value comes out as it was written", () => {
    const text = '{"n":123456789012345678901234567890,"e":1E400,"u":"\\u00e9\\/"}';
    expect(new JsonCursor(Buffer.from(text)).value()).toBe(text);
  });

  test("strings survive decoding and encoding", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const wellFormed = text.toWellFormed();
        expect(decodeString(encodeString(wellFormed))).toBe(wellFormed);
      }),
    );
  });

  test("a long string of any kind does not overflow a stack", () => {
    const long = `"${"a\\n".repeat(2_000_000)}"`;
    expect(codeOf(Buffer.from(long))).toBeNull();
    expect(codeOf(Buffer.from(`"${"b".repeat(20_000_000)}"`))).toBeNull();
  });

  test("more values or keys than any honest request has are refused", () => {
    expect(codeOf(Buffer.from(`[${"1,".repeat(600_000)}1]`))).toBe("body_too_large");
    const keys = Array.from({ length: 10_001 }, (_, i) => `"k${i}":1`).join(",");
    expect(codeOf(Buffer.from(`{${keys}}`))).toBe("body_too_large");
  });
});
