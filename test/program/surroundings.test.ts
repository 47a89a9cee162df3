/** Commands in poor surroundings: closed and full pipes, narrow terminals, no home, no locale. None hangs or prints a stack trace. */
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { hasTerminals, sallyportOnTerminal } from "./on-terminal.ts";
import { cleanEnv, ENTRY, sallyport } from "./program.ts";

let data: string;
beforeAll(async () => {
  data = join(mkdtempSync(join(tmpdir(), "sallyport-around-")), "data");
  await sallyport(["init", "--json", "--data", data]);
  await sallyport([
    "keys",
    "create",
    "--env",
    "dev",
    "--name",
    "my-app",
    "--role",
    "cli",
    "--model",
    "*",
    "--data",
    data,
  ]);
}, 60_000);

const STACK = /\n\s+at |Error:|node:internal/;
const lines: readonly (readonly [line: string, exit: number])[] = [
  ["--help", 0],
  ["apply --schema", 0],
  ["keys list", 0],
  ["keys list --json", 0],
  ["audit search", 0],
  ["keys show nothing", 1],
  ["keys lst", 2],
];

/** `closed`: which of the program's outputs have no reader from the start. */
function pipedTo(
  line: string,
  closed: readonly ("stdout" | "stderr")[],
): Promise<{ code: number | null; text: string }> {
  const child = spawn(process.execPath, [ENTRY, ...line.split(" ")], {
    env: { ...cleanEnv(), SALLYPORT_DATA: data },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const name of ["stdout", "stderr"] as const)
    if (closed.includes(name)) child[name].destroy();
    else child[name].on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, text })));
}

describe.each([[["stdout"]], [["stderr"]], [["stdout", "stderr"]]] as const)("without a reader of %j", (closed) => {
  it.each(lines)("%s ends as usual", async (line, exit) => {
    const { code, text } = await pipedTo(line, closed);
    expect(code).toBe(exit);
    expect(text).not.toMatch(STACK);
  });
});

it("a full pipe holds a command up until its reader reads or goes", async () => {
  for (const isRead of [true, false]) {
    // A pipe of the shell holds 64 KiB: three schemas do not fit.
    const again = `for n in 1 2 3; do '${process.execPath}' '${ENTRY}' apply --schema; done`;
    const child = spawn("/bin/sh", ["-c", again], { env: cleanEnv(), stdio: ["ignore", "pipe", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
    const ended = new Promise((resolve) => child.on("close", resolve));
    await new Promise((resolve) => child.stdout.once("readable", resolve));
    if (isRead) child.stdout.resume();
    else child.stdout.destroy();
    expect(await ended).toBe(0);
    expect(stderr).toBe("");
  }
});

describe.runIf(hasTerminals)("on a terminal of 20 columns", () => {
  it.each(lines)("%s", async (line, exit) => {
    const terminal = sallyportOnTerminal(line.split(" "), { SALLYPORT_DATA: data, COLUMNS: "20" }, 20);
    expect(await terminal.ended).toBe(exit);
    expect(terminal.screen()).not.toMatch(STACK);
  });
});

describe.each([
  ["LANG=C", { LANG: "C", LC_ALL: "C" }],
  ["NO_COLOR", { NO_COLOR: "1" }],
  ["TERM=dumb", { TERM: "dumb" }],
  ["an empty TERM", { TERM: "" }],
])("with %s", (_name, env) => {
  it.each(lines)("%s", async (line, exit) => {
    const { code, stdout, stderr } = await sallyport(line.split(" "), { SALLYPORT_DATA: data, ...env });
    expect(code).toBe(exit);
    expect(stdout + stderr).not.toMatch(STACK);
    expect(stdout + stderr).not.toContain("\u001b");
  });
});

describe("without a home directory", () => {
  it.each([
    ["keys list", 2, "--data or SALLYPORT_DATA"],
    ["status --json", 2, "--data or SALLYPORT_DATA"],
    ["credential", 1, "gateway"],
    ["complete -- keys show ", 0, ""],
  ])("%s", async (line, exit, says) => {
    // An empty HOME is what a container without a list of users has.
    const { code, stdout, stderr } = await sallyport(line.split(" "), { HOME: "" });
    expect(code).toBe(exit);
    expect(stdout + stderr).toContain(says);
    expect(stdout + stderr).not.toMatch(STACK);
  });
});
