/** The guide on signing: its script is run as it stands, its example is the vector's, and it explains every reason. */
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { signatureReasons } from "@sallyport/protocol";
import { makeSigner } from "../../packages/sallyport/dist/factors/signer.js";
import type { Signer } from "../../packages/sallyport/dist/factors/signer.js";
import { startSignedServer } from "./signed-server.ts";

const root = join(import.meta.dirname, "../..");
const guide = readFileSync(join(root, "docs/guides/signing.md"), "utf8");
const blocks = [...guide.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({
  language,
  text: text!,
}));
const run = promisify(execFile);

const has = (command: string, ...words: string[]): boolean => spawnSync(command, words).status === 0;
const why =
  has("openssl", "pkeyutl", "-help") && has("curl", "--version") ? "" : " (skipped: openssl or curl is not here)";

test.skipIf(why !== "")(`its script signs what the verifier takes${why}`, async () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-sign-"));
  const script = blocks.find(({ text }) => text.startsWith("#!/bin/sh"))!.text;
  writeFileSync(join(folder, "sign.sh"), script, { mode: 0o755 });
  const makePair = blocks.find(({ text }) => text.startsWith("openssl genpkey"))!.text;
  const { stdout } = await run("/bin/sh", ["-c", makePair], { cwd: folder });
  const server = await startSignedServer([makeSigner("SHA256:laptop", "ed25519", stdout) as Signer]);
  const env = { ...process.env, SALLYPORT_API_KEY: "sp_prod_key" };
  const sign = (...words: string[]) => run("./sign.sh", words, { cwd: folder, env });
  try {
    await sign("GET", `${server.url}/api/tags?limit=1`);
    await sign("POST", `${server.url}/api/chat`, '{"model":"llama3.2","messages":[{"role":"user","content":"hé"}]}');
    expect(server.seen.map(({ verdict }) => verdict)).toEqual(["verified", "verified"]);
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true });
  }
});

test("its example is the first of the vectors", () => {
  const { verified } = JSON.parse(readFileSync(join(root, "testdata/vectors/http-signatures.json"), "utf8")) as {
    verified: { headers: [string, string][] }[];
  };
  const headers = new Map(verified[0]!.headers);
  const [base, signature] = blocks.filter(({ language }) => language === "").map(({ text }) => text);
  expect(base).toContain(`"@signature-params": ${headers.get("signature-input")!.slice("sig=".length)}\n`);
  expect(`sig=:${signature!.trim()}:`).toBe(headers.get("signature"));
});

test("it names every reason that a client is told", () => {
  const silent = ["replay_key_full", "replay_store_full"];
  for (const reason of Object.keys(signatureReasons))
    if (!silent.includes(reason)) expect(guide).toContain(`\`${reason}\``);
});
