import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatKeyText } from "@sallyport/protocol";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { keyFormats, writeKey } from "./key-formats.ts";
import type { KeyFormat } from "./key-formats.ts";

const key = formatKeyText("sp", "dev", "ABCDEFGHIJKL", "s".repeat(43));
const write = (format: KeyFormat, as = "MY_KEY"): string =>
  writeKey(format, { id: "ABCDEFGHIJKL", name: `it's "x" $(id)`, environment: "dev", key, as });
const shell = (script: string, env: Record<string, string> = {}): string =>
  execFileSync("sh", ["-c", script], { encoding: "utf8", env: { PATH: process.env["PATH"] ?? "", ...env } }).trim();

it("each format is what its reader reads", () => {
  expect(write("raw")).toBe(key);
  expect(JSON.parse(write("json"))).toEqual({ id: "ABCDEFGHIJKL", name: `it's "x" $(id)`, environment: "dev", key });
  expect(shell(`${write("env")}\nprintenv MY_KEY`)).toBe(key);
  // `docker run --env-file` takes the rest of the line as it is.
  expect(write("docker")).toBe(`MY_KEY=${key}`);
  const secret = parse(write("k8s-secret")) as {
    kind: string;
    metadata: { name: string };
    data: Record<string, string>;
  };
  expect([secret.kind, secret.metadata.name]).toEqual(["Secret", "sallyport-dev-abcdefghijkl"]);
  expect(Buffer.from(secret.data["MY_KEY"]!, "base64").toString()).toBe(key);
});

it("in a job of GitHub's the key is masked before it is put into the environment", () => {
  const root = mkdtempSync(join(tmpdir(), "sallyport-formats-"));
  const file = join(root, "env");
  expect(shell(write("github-actions"), { GITHUB_ENV: file })).toBe(`::add-mask::${key}`);
  expect(readFileSync(file, "utf8")).toBe(`MY_KEY=${key}\n`);
  rmSync(root, { recursive: true });
});

it.each(keyFormats)("%s takes no name that would be read as something else", (format) => {
  for (const as of ["", "1X", "X Y", "X=1", "X;id", "X\nY", "$(id)"])
    expect(() => write(format, as)).toThrow(/not the name/);
});
