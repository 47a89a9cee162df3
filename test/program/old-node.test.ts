/** An old Node is told in a sentence, before anything is loaded that it cannot read. */
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { ENTRY } from "./program.ts";

/** The program under this version, as far as it can see. */
function under(version: string): { status: number | null; stderr: string; stdout: string } {
  const lie = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } })`;
  const words = ["--import", `data:text/javascript,${encodeURIComponent(lie)}`, ENTRY, "--version"];
  return spawnSync(process.execPath, words, { encoding: "utf8" });
}

test.each(["18.20.8", "20.18.3"])("Node %s: exit code 3, and what to do", (version) => {
  const { status, stderr } = under(version);
  expect([status, stderr]).toEqual([
    3,
    `sallyport: Node ${version} is too old: it takes 20.19.0 or newer\n  remedy: install a newer one from nodejs.org\n`,
  ]);
});

test.each(["20.19.0", "22.0.0", "100.0.0"])("Node %s is taken", (version) => {
  const { status, stdout } = under(version);
  expect([status, stdout.trim()]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+$/)]);
});
