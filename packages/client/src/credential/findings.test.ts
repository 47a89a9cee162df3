import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatKeyText } from "@sallyport/protocol";
import { afterEach, beforeEach, expect, it } from "vitest";
import { inspectCredentials } from "./findings.ts";
import { fromHelper } from "./credential-program.ts";

const KEY = formatKeyText("sp", "dev", "aaaaaaaaaaaa", "s".repeat(43));
const URL_A = "https://a.example.org";
const URL_B = "https://b.example.org";

let home: string;
let file: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "sallyport-findings-"));
  file = join(home, "credentials.json");
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const write = (gateways: unknown): void =>
  writeFileSync(file, JSON.stringify({ version: 1, gateways }), { mode: 0o600 });

/** `state code` of each finding; that no secret is told is asked each time. */
async function look(env: Record<string, string> = {}, url = URL_A): Promise<string[]> {
  const report = await inspectCredentials({
    url,
    directory: home,
    env: { PATH: process.env["PATH"], SALLYPORT_CREDENTIALS: file, ...env },
  });
  expect(JSON.stringify(report)).not.toContain(KEY.slice(-30));
  for (const { state, remedy } of report.findings) expect([state, remedy !== ""]).toEqual([state, state !== "ok"]);
  return report.findings.map(({ state, code }) => `${state} ${code}`);
}

it("says what would be used, and that nothing is wrong", async () => {
  write({ [URL_A]: { dev: { key: KEY } } });
  expect(await look()).toEqual(["ok credential_found"]);
  rmSync(file);
  expect(await look({ SALLYPORT_CREDENTIALS: "", HOME: home })).toEqual(["note credential_missing"]);
});

it("finds a key in a file that git tracks, and not one that it does not", async () => {
  write({ [URL_A]: { dev: { key: KEY } } });
  const git = (...words: string[]): void => void execFileSync("git", ["-C", home, ...words], { stdio: "ignore" });
  git("init", "-q");
  expect(await look()).toEqual(["ok credential_found"]);
  git("add", "credentials.json");
  expect(await look()).toEqual(["ok credential_found", "wrong credential_tracked"]);
});

it("finds one key used for two, and one kept for another environment, whichever gateway is asked for", async () => {
  write({ [URL_A]: { dev: { key: KEY } }, [URL_B]: { dev: { key: KEY } } });
  expect(await look()).toEqual(["ok credential_found", "wrong credential_shared"]);
  write({ [URL_A]: { dev: { key: KEY } }, [URL_B]: { prod: { key: KEY } } });
  expect(await look()).toEqual(["ok credential_found", "wrong credential_conflict"]);
});

it("tells once what is wrong with the file, and that places disagree", async () => {
  write({});
  chmodSync(file, 0o644);
  expect(await look()).toEqual(["wrong credential_unsafe"]);
  writeFileSync(file, "{");
  chmodSync(file, 0o600);
  expect(await look()).toEqual(["wrong input_invalid"]);
  write({ [URL_A]: { dev: { key: KEY } } });
  const other = formatKeyText("sp", "dev", "bbbbbbbbbbbb", "s".repeat(43));
  expect(await look({ SALLYPORT_API_KEY: other })).toEqual(["wrong credential_conflict"]);
});

it("finds a credential that would be sent in the clear", async () => {
  const env = { SALLYPORT_CREDENTIALS: "", HOME: home, SALLYPORT_API_KEY: KEY };
  expect(await look(env, "http://10.0.0.1:11435")).toEqual(["ok credential_found", "wrong credential_in_the_clear"]);
  for (const url of ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1"])
    expect(await look(env, url)).toEqual(["ok credential_found"]);
});

it("finds keys in files of variables that git tracks, that others can read, or that two environments share", async () => {
  write({ [URL_A]: { dev: { key: KEY } } });
  const keep = (name: string, text: string, mode = 0o600): void => {
    writeFileSync(join(home, name), text);
    chmodSync(join(home, name), mode);
  };
  const git = (...words: string[]): void => void execFileSync("git", ["-C", home, ...words], { stdio: "ignore" });
  git("init", "-q");
  // Of nobody: a placeholder, a file of another kind, one that is the user's alone.
  keep(
    ".env.example",
    "SALLYPORT_API_KEY=sp_dev_aaaaaaaaaaaa_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    0o644,
  );
  keep("notes.txt", KEY, 0o644);
  keep(".env", `export SALLYPORT_API_KEY='${KEY}'\n`);
  git("add", ".env.example", "notes.txt");
  expect(await look()).toEqual(["ok credential_found"]);
  keep(".env.local", `SALLYPORT_API_KEY=${KEY}`);
  keep(".env.staging", `SALLYPORT_API_KEY=${KEY}`);
  expect(await look()).toEqual(["ok credential_found"]);
  keep("prod.env", `SALLYPORT_API_KEY=${KEY}`);
  expect(await look()).toEqual(["ok credential_found", "wrong credential_shared"]);
  rmSync(join(home, "prod.env"));
  keep(".env", `SALLYPORT_API_KEY=${KEY}`, 0o644);
  git("add", ".env");
  expect(await look()).toEqual(["ok credential_found", "wrong credential_tracked", "wrong credential_unsafe"]);
});

it("does not wait for a helper that hangs, nor for what it has started", async () => {
  const path = join(home, "helper");
  writeFileSync(path, "#!/bin/sh\nsleep 2 & sleep 2\n", { mode: 0o700 });
  const call = { command: [path], environment: "dev", env: { PATH: process.env["PATH"] }, now: 0, timeoutMs: 50 };
  await expect(fromHelper(call)).rejects.toMatchObject({
    code: "credential_source_failed",
    message: expect.stringContaining("did not end within"),
  });
});
