import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lineOfExportRow } from "./export-row.ts";
import { parseRecordLine } from "./record-line.ts";
import { parseShallowJson } from "./shallow-json.ts";

const deep = (open: string, close: string, levels: number) => open.repeat(levels) + close.repeat(levels);
const longText = `${"x".repeat(5_000)}[[[[[[[[[[[[[[[[[[[[{{{{`;

describe("parseShallowJson", () => {
  it("reads what is not nested deeply as JSON.parse does", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (json) => {
        const text = `[${json},${" ".repeat(5_000)}0]`;
        expect(parseShallowJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([`"`, `\\`, `\\"`, `"[`, `\\\\"{`])("does not count brackets inside a text with %s", (part) => {
    const read = { a: part + longText, b: [part] };
    expect(parseShallowJson(JSON.stringify(read))).toEqual(read);
  });

  it.each([deep("[", "]", 400_000), deep('{"a":[', "]}", 100_000).replace("[]", "[0]"), "[".repeat(900_000)])(
    "rejects a text nested deeply",
    (text) => {
      expect(parseShallowJson(text)).toBeUndefined();
    },
  );

  it("rejects what is no JSON", () => {
    expect(parseShallowJson("{")).toBeUndefined();
  });
});

it("rejects a record and an exported row whose fields are nested deeply", () => {
  const frame = (fields: string) =>
    `{"seq":1,"prev":"${"0".repeat(64)}","type":"a","at":1,"environment":"dev","actor":"a","fields":{"a":${fields}}}`;
  expect(parseRecordLine(frame(deep("[", "]", 400_000)))).toBeUndefined();
  expect(lineOfExportRow(() => "", frame(deep("[", "]", 400_000)))).toBeUndefined();
});
