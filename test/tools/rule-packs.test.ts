/** The rules for other scanners are what their one source would write, and find every key. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { formatKeyText } from "../program-under-test.ts";

const root = join(import.meta.dirname, "../..");

it("deploy/rules/ is what tools/make-rule-packs.js writes", () => {
  execFileSync(process.execPath, ["tools/make-rule-packs.js", "--check"], { cwd: root, stdio: "pipe" });
});

it("the pattern in each file finds a key beside letters", () => {
  const key = formatKeyText("spa", "system", "AbCdEfGh1234", "Q".repeat(43));
  for (const name of [
    "gitleaks.toml",
    "kingfisher.yaml",
    "trufflehog.yaml",
    "gitguardian.yaml",
    "semgrep.yaml",
    "sallyport_key.py",
  ]) {
    const text = readFileSync(join(root, "deploy/rules", name), "utf8");
    const pattern = /sp\[atep\]\?_\S*?\{49\}/.exec(text)?.[0] ?? "missing";
    expect(`x${key}x`.match(new RegExp(pattern))?.[0]).toBe(key);
  }
});
