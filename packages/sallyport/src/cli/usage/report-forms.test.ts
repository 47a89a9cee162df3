/** What a name chosen by a stranger can do in a report: nothing. */
import { lineText } from "../terminal/styled-line.ts";
import { expect, it } from "vitest";
import { csvCell, csvLines } from "./usage-csv.ts";
import { subjectMembers } from "./usage-columns.ts";
import type { ReportRow } from "./usage-columns.ts";
import { markdownCell, markdownLines, subjectOf, tableLines } from "./usage-table.ts";

function row(part: Partial<ReportRow> = {}): ReportRow {
  return {
    principal: "p_1", principalName: "Ada", requests: 1, denied: 0, codes: {}, inputTokens: 12_400, outputTokens: 3,
    estimated: 0, computeMs: 11_520_000, queueMs: 7, bytesIn: 1, bytesOut: 2,
    firstAt: "2026-11-01T00:00:00.000Z", lastAt: "2026-11-02T00:00:00.000Z", ...part,
  }; // prettier-ignore
}

it.each([
  ["=1+1", "'=1+1"],
  ["+1", "'+1"],
  ["-1", "'-1"],
  ["@SUM(A1)", "'@SUM(A1)"],
  ["\t=1", "'\t=1"],
  ["＝1", "'＝1"],
  ['=HYPERLINK("http://x","y")', `"'=HYPERLINK(""http://x"",""y"")"`],
  ["a,b", '"a,b"'],
  ['a"b', '"a""b"'],
  ["a\nb", '"a\nb"'],
  ["Ada", "Ada"],
  ["", ""],
])("CSV cell %j is %j", (text, cell) => expect(csvCell(text)).toBe(cell));

it("CSV has a heading, and the columns of what it is by", () => {
  const [heading, first] = csvLines(
    [row({ denied: 3, codes: { model_denied: 2, rate_limited: 1 } })],
    subjectMembers.principal,
    null,
  );
  expect(heading).toBe(
    "principal,principalName,requests,denied,inputTokens,outputTokens,estimated,computeMs,queueMs,bytesIn,bytesOut,codes,firstAt,lastAt",
  );
  expect(first).toBe(
    "p_1,Ada,1,3,12400,3,0,11520000,7,1,2,model_denied:2 rate_limited:1,2026-11-01T00:00:00.000Z,2026-11-02T00:00:00.000Z",
  );
});

it("Markdown shows a name as text, in one cell", () => {
  expect(markdownCell("a|b\n<img src=x> [x](http://y) `c` *d* \u001b[31m\u202e")).toBe(
    "a\\|b\\\\u000a&lt;img src=x&gt; \\[x\\]\\(http://y\\) \\`c\\` \\*d\\* \\\\u001b\\[31m\\\\u202e",
  );
  const lines = markdownLines([row({ principalName: "x | y" })], subjectOf("principal"), null);
  expect(lines).toHaveLength(4);
  expect(new Set(lines.map((line) => line.replaceAll("\\|", "").split("|").length))).toEqual(new Set([9]));
});

it("a table shows people units, the most compute time first, the sum last, and no control characters", () => {
  const lines = tableLines(
    [row({ computeMs: 340, principalName: "\u001b[2Jevil" }), row({ principalName: null }), row({ estimated: 1 })],
    subjectOf("principal"),
    null,
  );
  expect(lineText(lines[1]!)).toMatch(/^p_1 +1 +0 +12\.4k +3 +3 h 12 min +7 ms$/);
  expect(lineText(lines[2]!)).toMatch(/^Ada +1 +0 +~12\.4k +~3 /);
  expect(lineText(lines[3]!)).toMatch(/^\\u001b\[2Jevil .*340 ms/);
  expect(lineText(lines[4]!)).toMatch(/^TOTAL +3 +0 +~37\.2k +~9 +6 h 24 min +21 ms$/);
  expect(tableLines([], subjectOf("key"), null)).toEqual(["no usage in this time"]);
});

it("a model of the usual registry is shown without it", () => {
  const models = ["registry.ollama.ai/library/llama3.2:latest", "hf.co/a/b:c", null];
  const lines = tableLines(
    models.map((model) => row({ model })),
    subjectOf("model"),
    null,
  );
  expect(lines.slice(1, 4).map((line) => lineText(line).split(" ")[0])).toEqual([
    "llama3.2:latest",
    "hf.co/a/b:c",
    "-",
  ]);
});
