import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { settingsExample } from "../../config/settings-example.ts";
import { runCli } from "../program.ts";
import type { Io } from "../terminal/io.ts";

const folder = mkdtempSync(join(tmpdir(), "sallyport-init-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function init(...words: string[]): Promise<{ exit: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const io = { out: (line: string) => out.push(line), err: (line: string) => err.push(line), env: {} };
  const data = ["--data", join(folder, "data")];
  const exit = await runCli(["init", ...words, ...data], io as unknown as Io, () => Promise.reject(new Error("asked")));
  return { exit, out: `${out.join("\n")}\n`, err: err.join("\n") };
}

it("--example prints every setting and creates no data directory", async () => {
  expect(await init("--example")).toEqual({ exit: 0, out: settingsExample(), err: "" });
  expect(existsSync(join(folder, "data"))).toBe(false);
});

it("--example --out writes a new file and overwrites none", async () => {
  const file = join(folder, "sallyport.yaml");
  expect((await init("--example", "--out", file)).exit).toBe(0);
  expect(readFileSync(file, "utf8")).toBe(settingsExample());
  const again = await init("--example", "--out", file);
  expect([again.exit, again.err.includes("cannot be created")]).toEqual([2, true]);
});
