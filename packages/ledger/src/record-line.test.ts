import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeEvent, isFieldName } from "./encode-event.ts";
import type { EncodableEvent, EventValue } from "./encode-event.ts";
import { FIRST_PREV, parseRecordLine, recordLine } from "./record-line.ts";

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("\u2028", "\ud800", '"', "\\", "\u009b2J", "\n"),
);
const value: fc.Arbitrary<EventValue> = fc.oneof(
  text,
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
  fc.array(text),
);
const event: fc.Arbitrary<EncodableEvent> = fc.record({
  type: text,
  at: fc.maxSafeInteger(),
  environment: text,
  actor: text,
  fields: fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9_]{0,20}$/), value),
});

describe("encodeEvent", () => {
  it("writes what JSON.stringify writes, for plain text", () => {
    const plain = {
      type: "key.issued",
      at: 5,
      environment: "dev",
      actor: "os:root",
      fields: { a: "b", n: 1.5, t: true, no: null, l: ["x", "y"] },
    };
    expect(encodeEvent(plain)).toBe(JSON.stringify(plain));
  });

  it("is one line of valid UTF-8 that says the same, for any event", () => {
    fc.assert(
      fc.property(event, (any) => {
        const line = encodeEvent(any);
        expect(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(line)).toBe(false);
        expect(Buffer.from(line, "utf8").toString("utf8")).toBe(line);
        expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(any)));
      }),
    );
  });

  it("writes a number that is not finite as null", () => {
    expect(
      encodeEvent({ type: "t", at: 1, environment: "e", actor: "a", fields: { x: Number.NaN, y: Infinity } }),
    ).toContain('{"x":null,"y":null}');
  });
});

describe("a record line", () => {
  it("is read back as it was written, for any event", () => {
    fc.assert(
      fc.property(event, fc.integer({ min: 1 }), (any, seq) => {
        const line = recordLine(seq, FIRST_PREV, encodeEvent(any));
        const read = parseRecordLine(line);
        expect(read?.seq).toBe(seq);
        expect(read && recordLine(read.seq, read.prev, encodeEvent(read))).toBe(line);
      }),
    );
  });

  const good = recordLine(
    7,
    "a".repeat(64),
    encodeEvent({ type: "t", at: 1, environment: "e", actor: "a", fields: { n: 1, s: "x" } }),
  );
  it.each([
    ["an empty line", ""],
    ["an array", "[1]"],
    ["null", "null"],
    ["seq 0", good.replace('"seq":7', '"seq":0')],
    ["seq as text", good.replace('"seq":7', '"seq":"7"')],
    ["a fraction as seq", good.replace('"seq":7', '"seq":7.5')],
    ["another spelling of seq", good.replace('"seq":7', '"seq":7.0')],
    ["a short prev", good.replace("aaaa", "aaa")],
    ["prev in upper case", good.replaceAll("a", "A")],
    ["a member missing", good.replace('"actor":"a",', "")],
    ["a member more", good.replace('"actor":', '"more":1,"actor":')],
    ["members in another order", good.replace('"type":"t","at":1', '"at":1,"type":"t"')],
    ["a member twice", good.replace('"at":1', '"at":1,"at":1')],
    ["a field twice", good.replace('"n":1', '"n":1,"n":1')],
    ["a nested field", good.replace('"n":1', '"n":{"m":1}')],
    ["numbers in a list", good.replace('"n":1', '"n":[1]')],
    ["a field name out of the alphabet", good.replace('"n":1', '"N":1')],
    ["a needless escape", good.replace('"s":"x"', '"s":"\\u0078"')],
    ["trailing white space", `${good}\r`],
    ["white space inside", good.replace(":1", ": 1")],
  ])("is refused: %s", (_, line) => {
    expect(line).not.toBe(good);
    expect(parseRecordLine(line)).toBeUndefined();
  });

  it("is accepted without any of these", () => {
    expect(parseRecordLine(good)?.fields).toEqual({ n: 1, s: "x" });
  });

  it.each(["__proto__", "1", "", "A", "a-b"])("%s is no field name", (name) => expect(isFieldName(name)).toBe(false));
});
