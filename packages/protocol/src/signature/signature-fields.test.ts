import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatContentDigest, parseContentDigest } from "./content-digest.ts";
import { formatSignatureParameters } from "./format-signature.ts";
import { canonicalAuthority, isSupportedComponent, signatureBase } from "./signature-base.ts";
import { parseSignature, parseSignatureInput, SIGNATURE_FIELD_MAX } from "./signature-fields.ts";

const name = fc.constantFrom("@method", "@path", "@authority", "content-type", "x-note", "a", "*");
const text = fc.stringMatching(/^[ !#-[\]-~]{0,40}$/);
const seconds = fc.integer({ min: 0, max: 999_999_999_999_999 });
const orNull = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value);
const parameters = fc.record({
  created: orNull(seconds),
  expires: orNull(seconds),
  nonce: orNull(text),
  keyid: orNull(text),
  alg: orNull(text),
  tag: orNull(text),
});
const input = fc
  .tuple(fc.uniqueArray(name), parameters)
  .map(([components, said]) => ({ components, said, text: formatSignatureParameters(components, said) }));

describe("the two fields of a signature", () => {
  it("are read as they were written", () => {
    fc.assert(
      fc.property(input, ({ components, said, text: written }) => {
        expect(parseSignatureInput(`sig=${written}`)).toEqual({
          label: "sig",
          components,
          parameters: said,
          text: written,
        });
      }),
    );
  });

  it("have one spelling: whatever is accepted is what would have been written", () => {
    const put = fc.oneof(fc.constantFrom(" ", ";", ",", '"', "(", ")", "=", "0", "-", "\\", "\t"), fc.string());
    let accepted = 0;
    fc.assert(
      fc.property(input, fc.nat(), put, fc.nat(2), ({ text: written }, at, put, cut) => {
        const whole = `sig=${written}`;
        const place = at % (whole.length + 1);
        const changed = whole.slice(0, place) + put + whole.slice(place + cut);
        const read = parseSignatureInput(changed);
        if ("reason" in read) return;
        accepted++;
        // Parameters come in the order they were sent; each is spelled as it would have been.
        const spelled = formatSignatureParameters(read.components, read.parameters);
        expect(`${read.label}=${read.text}`).toBe(changed);
        expect(read.text.split(/(?=;)/).toSorted()).toEqual(spelled.split(/(?=;)/).toSorted());
      }),
      { numRuns: 5000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  it("are bounded, and whatever they are the answer is a value", () => {
    for (const [parse, long] of [
      [parseSignatureInput, `sig=("${"a".repeat(250)}"${' "b"'.repeat(600)})`],
      [parseSignature, `sig=:${"AAAA".repeat(600)}:`],
    ] as const) {
      expect(long.length).toBeGreaterThan(SIGNATURE_FIELD_MAX);
      expect(parse(long)).toEqual({ reason: "signature_malformed" });
      fc.assert(fc.property(fc.string({ unit: "binary" }), (any) => typeof parse(any) === "object"));
    }
  });

  it.each(['"', "\\", "é", "\n", "a".repeat(257)])("cannot be written with %j in a keyid", (keyid) => {
    const said = { created: null, expires: null, nonce: null, keyid, alg: null, tag: null };
    expect(() => formatSignatureParameters([], said)).toThrow(RangeError);
  });
});

describe("content-digest", () => {
  const bytes = (length: number): fc.Arbitrary<string> =>
    fc.uint8Array({ minLength: length, maxLength: length }).map((all) => Buffer.from(all).toString("base64"));
  const digest = fc
    .record({ sha256: orNull(bytes(32)), sha512: orNull(bytes(64)) })
    .filter(({ sha256, sha512 }) => sha256 !== null || sha512 !== null);

  it("is read as it was written, and one changed character is refused or read as another digest", () => {
    fc.assert(
      fc.property(digest, fc.nat(), fc.string({ minLength: 1, maxLength: 1 }), (one, at, put) => {
        const written = formatContentDigest(one);
        expect(parseContentDigest(written)).toEqual(one);
        const place = at % written.length;
        const changed = written.slice(0, place) + put + written.slice(place + 1);
        const read = parseContentDigest(changed);
        if (!("reason" in read)) expect(formatContentDigest(read)).toBe(changed);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("the signature base", () => {
  it("is one line a component: nothing in a request can make another", () => {
    const message = fc.record({
      method: fc.string({ unit: "binary" }),
      scheme: fc.constantFrom("http", "https" as const),
      authority: fc.string({ unit: "binary" }),
      target: fc.string({ unit: "binary" }).map((path) => `/${path}`),
      rawHeaders: fc
        .array(fc.tuple(name, fc.string({ unit: "binary" })))
        .map((lines) => lines.flat().filter((part) => part !== undefined)),
    });
    const names = fc.uniqueArray(name.filter(isSupportedComponent));
    fc.assert(
      fc.property(message, names, (request, components) => {
        const base = signatureBase(request, components, "()");
        if (typeof base !== "string") return;
        expect(base).toMatch(/^[\t\n\x20-\x7e]*$/);
        expect(base.split("\n").length).toBe(components.length + 1);
      }),
      { numRuns: 2000 },
    );
  });

  it("knows an authority in lower case, without its scheme's own port", () => {
    expect(canonicalAuthority("https", "LLM.Example.org:443")).toBe("llm.example.org");
    expect(canonicalAuthority("http", "llm.example.org:443")).toBe("llm.example.org:443");
    expect(canonicalAuthority("http", "[::1]:80")).toBe("[::1]");
  });
});
