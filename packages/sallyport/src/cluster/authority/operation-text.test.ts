import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Operation } from "../../changes/change.ts";
import { formatOperations, parseEventTexts, parseOperations } from "./operation-text.ts";

const operation = (value: unknown): readonly Operation[] => [{ op: "role.remove", value } as unknown as Operation];

describe("operations as text", () => {
  it.each([
    ["bytes", new Uint8Array([0, 255, 7])],
    ["no bytes", new Uint8Array()],
    ["numbers that JSON does not know", [Infinity, -Infinity, 0.1, Number.MAX_SAFE_INTEGER]],
    ["names that look like marks", { $bytes: "AAAA", $$bytes: 1, $number: "1", $: null }],
    ["names of what every object has", JSON.parse('{"__proto__":{"isAdmin":true},"constructor":1}')],
    ["hostile text", "\u0000\ud800\u2028'\"\\"],
  ])("come back as they were: %s", (_what, value) => {
    expect(parseOperations(formatOperations(operation(value)))).toEqual(operation(value));
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  it("come back as they were, whatever is in them", () => {
    const value = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.string({ unit: "binary" }),
        fc.double({ noNaN: true }).filter((number) => !Object.is(number, -0)),
        fc.boolean(),
        fc.constant(null),
        fc.uint8Array(),
        fc.array(tie("tree")),
        fc.dictionary(fc.oneof(fc.string(), fc.constantFrom("$bytes", "$number", "$")), tie("tree"), {
          noNullPrototype: true,
        }),
      ),
    })).tree;
    fc.assert(
      fc.property(value, (one) => {
        expect(parseOperations(formatOperations(operation(one)))).toEqual(operation(one));
      }),
      { seed: 19, numRuns: 300 },
    );
  });

  it.each([
    ["a map", new Map()],
    ["a date", new Date(0)],
    ["a function", () => 1],
    ["a big integer", 1n],
  ])("that hold %s are a mistake of the program", (_what, value) => {
    expect(() => formatOperations(operation(value))).toThrow(TypeError);
  });

  it.each(["", "{}", "[1]", "[null]", '[{"op":1}]', "nonsense"])("of no such form are refused: %s", (text) => {
    expect(() => parseOperations(text)).toThrowError(expect.objectContaining({ code: "log_damaged" }) as Error);
  });

  it.each(["", "[]", "[1]", "{}", '["a",null]'])("events of no such form are refused: %s", (text) => {
    expect(() => parseEventTexts(text)).toThrowError(expect.objectContaining({ code: "log_damaged" }) as Error);
  });
});
