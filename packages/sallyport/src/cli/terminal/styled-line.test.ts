import { describe, expect, it } from "vitest";
import { command, error, hasColor, heading, lineText, withCommands, writtenLine } from "./styled-line.ts";
import { table } from "./print.ts";

const ESCAPE = "\u001b";

describe("whether a stream gets colours", () => {
  const terminal = { isTTY: true };
  const pipe = {};
  it.each([
    ["a terminal", terminal, {}, true],
    ["a file or a pipe", pipe, {}, false],
    ["NO_COLOR", terminal, { NO_COLOR: "1" }, false],
    ["NO_COLOR before FORCE_COLOR", terminal, { NO_COLOR: "1", FORCE_COLOR: "1" }, false],
    ["an empty NO_COLOR", terminal, { NO_COLOR: "" }, true],
    ["TERM=dumb", terminal, { TERM: "dumb" }, false],
    ["FORCE_COLOR", pipe, { FORCE_COLOR: "1" }, true],
    ["FORCE_COLOR=0", terminal, { FORCE_COLOR: "0" }, false],
    ["CLICOLOR_FORCE", pipe, { CLICOLOR_FORCE: "1" }, true],
    ["CLICOLOR_FORCE=0", pipe, { CLICOLOR_FORCE: "0" }, false],
  ] as const)("%s", (_name, stream, env, wanted) => {
    expect(hasColor(stream, env)).toBe(wanted);
  });
});

describe("a line", () => {
  const hostile = `${ESCAPE}[32mok${ESCAPE}[0m\n\u202e`;

  it("has colours only where the stream has, and those of the program only", () => {
    const line = [error("sallyport:"), ` ${hostile} `, command(hostile)];
    const written = writtenLine(line, true);
    expect(written.split(ESCAPE).map((part) => part.slice(0, 4))).toEqual(["", "[31m", "[39m", "[36m", "[39m"]);
    expect(writtenLine(line, false)).not.toContain(ESCAPE);
    expect(writtenLine(hostile, true)).not.toContain(ESCAPE);
    expect(writtenLine(line, false)).toContain("\\u001b[32mok");
  });

  it("names the commands of a remedy, and leaves a single backtick alone", () => {
    expect(withCommands("run `sallyport doctor` now")).toEqual(["run ", command("`sallyport doctor`"), " now"]);
    expect(lineText(withCommands("a ` b"))).toBe("a ` b");
  });
});

it("a table's widths are those of its text", () => {
  const lines = table(["ID", "STATE", "N"], [["a", error("revoked"), "1"], ["bb", "active", ""]], "none"); // prettier-ignore
  expect(lines.map(lineText)).toEqual(["ID  STATE    N", "a   revoked  1", "bb  active"]);
  expect(lines[0]).toContainEqual(heading("STATE"));
});
