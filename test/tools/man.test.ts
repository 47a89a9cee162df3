/** The man pages are those of the commands, and troff reads them without a warning. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { makeProgram } from "../program-under-test.ts";
import type { Cli } from "../program-under-test.ts";

const folder = mkdtempSync(join(tmpdir(), "sallyport-man-"));
afterAll(() => rmSync(folder, { recursive: true }));
execFileSync(process.execPath, [join(import.meta.dirname, "../../tools/make-man.js"), folder]);
const textOf = (name: string): string => readFileSync(join(folder, name), "utf8");

it("there is one for the program and one for each command, with every option", async () => {
  const program = await makeProgram({ io: { out() {}, err() {}, env: {} } } as unknown as Cli);
  const commands = program.commands.filter((one) => one.name() !== "complete");
  const names = ["sallyport.1", ...commands.map((one) => `sallyport-${one.name()}.1`)];
  expect(readdirSync(folder).toSorted()).toEqual(names.toSorted());
  for (const command of commands) {
    const text = textOf(`sallyport-${command.name()}.1`).replaceAll("\\-", "-");
    const options = [command, ...command.commands].flatMap((one) => one.options.filter((option) => !option.hidden));
    expect(options.filter(({ flags }) => !text.includes(`.TP\n\\fB${flags}\\fR\n`)).map(({ flags }) => flags)).toEqual(
      [],
    );
  }
});

it("texts are texts: no line is a request that no page means, and all is ASCII", () => {
  for (const name of readdirSync(folder)) {
    expect([name, /[^\n\x20-\x7e]/.test(textOf(name))]).toEqual([name, false]);
    const requests = textOf(name).match(/^[.'].*$/gm) ?? [];
    expect(requests.filter((line) => !/^\.(?:TH|SH|SS|TP|B|I|BR|br)\b/.test(line))).toEqual([]);
  }
});

const hasGroff = spawnSync("groff", ["--version"]).status === 0;
if (!hasGroff) console.warn("skipped: groff is not installed here");

it.skipIf(!hasGroff)("groff reads them without a warning", () => {
  for (const name of readdirSync(folder)) {
    const { status, stderr } = spawnSync("groff", ["-man", "-ww", "-z", "-Tutf8", join(folder, name)], {
      encoding: "utf8",
    });
    expect([name, status, stderr]).toEqual([name, 0, ""]);
  }
});
