/** `keys create` without options on a real terminal; and what colours and progress look like there. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, openSync, closeSync, writeSync, constants } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { CTRL_C, CTRL_D, hasTerminals, sallyportOnTerminal } from "./on-terminal.ts";
import { sallyport, sallyportJson } from "./program.ts";

if (!hasTerminals) console.warn("skipped: the tests with a real terminal need the command `script` (util-linux)");

let data: string;
beforeAll(async () => {
  data = join(mkdtempSync(join(tmpdir(), "sallyport-guided-")), "data");
  await sallyport(["init", "--json", "--data", data]);
}, 30_000);

const names = async (): Promise<readonly string[]> => {
  const { keys } = await sallyportJson<{ keys: { name: string }[] }>(["keys", "list", "--data", data]);
  return keys.map(({ name }) => name);
};

describe.runIf(hasTerminals)("a guided key", () => {
  it("is created from the answers", async () => {
    const terminal = sallyportOnTerminal(["keys", "create", "--data", data]);
    for (const [question, keys] of [
      ["Number or name [dev]: ", "\r"],
      ["Numbers or names, comma-separated: ", "chatbot\r"],
      ["Numbers or names, comma-separated: ", "1\r"],
      ["such as the application: ", "guided\r"],
      ["How long does it live?", "7d\r"],
      ["[anywhere]: ", "10.1.0.0/16\r"],
      ["Create this key? [y/N] ", "y\r"],
    ] as const) {
      await terminal.shows(question);
      terminal.press(keys);
    }
    expect(await terminal.ended).toBe(0);
    expect(terminal.screen()).toContain("\u001b[1mWhich environment?\u001b[22m");
    expect(terminal.screen()).toContain("chat: with every local model");
    expect(terminal.screen()).toMatch(/sp_dev_[0-9A-Za-z]+/);
    expect(await names()).toEqual(["guided"]);
  });

  it("takes answers that are pasted together", async () => {
    const terminal = sallyportOnTerminal(["keys", "create", "--data", data]);
    await terminal.shows("Number or name [dev]: ");
    terminal.press("dev\rchatbot\r*\rpasted\r\r\ry\r");
    expect(await terminal.ended).toBe(0);
    expect(await names()).toContain("pasted");
  });

  it.each([
    ["Ctrl-C", CTRL_C],
    ["Ctrl-D", CTRL_D],
  ])("is not created after %s, whatever the question", async (_name, keys) => {
    const before = await names();
    for (const questions of [["Number or name [dev]: "], ["Number or name [dev]: ", "Numbers or names"]]) {
      const terminal = sallyportOnTerminal(["keys", "create", "--data", data]);
      for (const question of questions) {
        if (question !== questions[0]) terminal.press("dev\r");
        await terminal.shows(question);
      }
      terminal.press(keys);
      expect(await terminal.ended).toBe(1);
      expect(terminal.screen()).toMatch(/\n$/);
      expect(terminal.screen()).not.toMatch(/Error|at .*\.js/);
    }
    expect(await names()).toEqual(before);
  });
});

describe.runIf(hasTerminals)("on a terminal", () => {
  it("a table has a bold heading and an error a red word, and neither with NO_COLOR", async () => {
    const list = sallyportOnTerminal(["envs", "list", "--data", data]);
    expect(await list.ended).toBe(0);
    expect(list.screen()).toContain("\u001b[1mNAME\u001b[22m");
    const mistake = sallyportOnTerminal(["envs", "show", "nothing", "--data", data]);
    await mistake.ended;
    expect(mistake.screen()).toContain("\u001b[31msallyport:\u001b[39m");
    for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }]) {
      const plain = sallyportOnTerminal(["envs", "list", "--data", data], env);
      await plain.ended;
      expect(plain.screen()).not.toContain("\u001b");
    }
    const json = sallyportOnTerminal(["envs", "list", "--json", "--data", data]);
    await json.ended;
    expect(json.screen()).not.toContain("\u001b");
  });

  it("long work shows one line that fits, and erases it", async () => {
    // Nothing comes through it until the test says so: the work is as long as the test wants.
    const fifo = join(mkdtempSync(join(tmpdir(), "sallyport-fifo-")), "export.jsonl");
    execFileSync("mkfifo", [fifo]);
    const hold = openSync(fifo, constants.O_RDWR);
    const terminal = sallyportOnTerminal(["anomalies", "replay", fifo], {}, 20);
    await terminal.shows("\r\u001b[Kreplaying");
    const writer = openSync(fifo, constants.O_WRONLY);
    writeSync(writer, "no record\n");
    closeSync(writer);
    closeSync(hold);
    expect(await terminal.ended).toBe(0);
    const frames = terminal.screen().split("\r\u001b[K");
    for (const frame of frames.slice(1, -1)) expect(frame.length).toBeLessThan(20);
    expect(frames.at(-1)).toMatch(/^records/);
  });
});
