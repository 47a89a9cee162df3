import { expect, it } from "vitest";
import { formatTraceParent, parseTraceParent } from "./trace-parent.ts";

const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const span = "00f067aa0ba902b7";

it.each([
  [`00-${trace}-${span}-01`, true],
  [`00-${trace}-${span}-00`, false],
  [`00-${trace}-${span}-03`, true],
  [`00-${trace}-${span}-02`, false],
])("reads %s", (text, isSampled) => {
  expect(parseTraceParent(text)).toEqual({ traceId: trace, spanId: span, isSampled });
});

it.each([
  undefined,
  "",
  ["x"],
  `01-${trace}-${span}-01`,
  `ff-${trace}-${span}-01`,
  `00-${trace}-${span}`,
  `00-${trace}-${span}-01-more`,
  `00-${trace}-${span}-01 `,
  ` 00-${trace}-${span}-01`,
  `00-${trace}-${span}-01\n`,
  `00-${trace.toUpperCase()}-${span}-01`,
  `00-${trace.slice(1)}-${span}-01`,
  `00-${trace}-${span}0-01`,
  `00-${"0".repeat(32)}-${span}-01`,
  `00-${trace}-${"0".repeat(16)}-01`,
  `00-${trace}-${span}-01, 00-${trace}-${span}-01`,
])("takes %j for none", (text) => {
  expect(parseTraceParent(text)).toBeUndefined();
});

it("writes what it reads", () => {
  for (const text of [`00-${trace}-${span}-01`, `00-${trace}-${span}-00`])
    expect(formatTraceParent(parseTraceParent(text)!)).toBe(text);
});
