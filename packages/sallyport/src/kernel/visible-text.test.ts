import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, it } from "vitest";
import { facts, fitWidths, table } from "../cli/terminal/print.ts";
import { lineText } from "../cli/terminal/styled-line.ts";
import { visibleLine } from "./visible-text.ts";

/** Written apart from the rule: what a terminal obeys or reorders. */
const OBEYED =
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/;
const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      "\u001b[2J",
      "\u009b31m",
      "\r",
      "\n",
      "\u202e",
      "\u2066",
      "\u0007",
      "\u007f",
      "\ud800",
      "\u{e0001}",
    ),
    fc.string({ unit: "binary", maxLength: 4 }),
  ),
});

it("nothing a terminal obeys is left in a line, a table or facts", () => {
  fc.assert(
    fc.property(hostile, hostile, (one, other) => {
      expect(visibleLine(one)).not.toMatch(OBEYED);
      for (const line of [...table(["A", "B"], [[one, other]], "none"), ...facts({ one, other })])
        expect(lineText(line)).not.toMatch(OBEYED);
      expect(table(["A", "B"], [[one, other]], "none")).toHaveLength(2);
    }),
  );
});

it("JSON stays JSON, with the same value", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const json = JSON.stringify(value);
      expect(JSON.parse(visibleLine(json))).toEqual(JSON.parse(json));
    }),
  );
  fc.assert(
    fc.property(hostile, (text) => {
      expect(JSON.parse(visibleLine(JSON.stringify(text)))).toBe(text);
    }),
  );
});

it("leaves words of every language as they are", () => {
  for (const text of ["Zoë Ångström", "日本語", "می\u200cخواهم", "👩\u200d💻", "a\tb"])
    expect(visibleLine(text)).toBe(text);
});

it("only the command line's output writes to the terminal", () => {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts")); // prettier-ignore
  const writers = files.filter((name) =>
    /(?<![\w.])console\.(?:log|info|warn|error|debug|trace|table|dir|assert)\b|process\.std(?:out|err)\.write/.test(
      readFileSync(join(root, name), "utf8"),
    ),
  );
  expect(writers).toEqual([]);
});

it("a table fits: the widest columns give way, an id never does", () => {
  expect(fitWidths([12, 40, 6], 80)).toEqual([12, 40, 6]);
  expect(fitWidths([12, 100, 50, 6], 80).reduce((sum, width) => sum + width, 6)).toBeLessThanOrEqual(80);
  expect(fitWidths([12, 100, 6], 20)).toEqual([12, 12, 6]);
});
