/** The guide on signing: its script is run as it stands, its example is the vector's, and it explains every reason. */
import { execFile, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { signatureReasons } from "@sallyport/protocol";
import { makeSigner } from "../program-under-test.ts";
import type { Signer } from "../program-under-test.ts";
import { cleanEnv, ENTRY } from "../program/program.ts";
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
  const env = { ...process.env, SALLYPORT_API_KEY: "sp_prod_key", KEYID: "SHA256:laptop" };
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

test.skipIf(why !== "")(`followed line by line, it signs for a gateway that demands it${why}`, async () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-guide-"));
  const data = join(folder, "data");
  const words = ["start", "--data", data, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
  // No Ollama is there, so the practice server answers.
  const child = spawn(process.execPath, [ENTRY, ...words], {
    env: { ...cleanEnv(), OLLAMA_HOST: "127.0.0.1:1" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    const url = await new Promise<string>((resolve) => {
      let said = "";
      child.stdout.on("data", (chunk: Buffer) => {
        said += chunk.toString("utf8");
        const ready = /data=(\S+) admin=[^]*next /.exec(said);
        if (ready) resolve(ready[1]!);
      });
    });
    writeFileSync(join(folder, "sallyport"), `#!/bin/sh\nexec ${process.execPath} ${ENTRY} "$@"\n`, { mode: 0o755 });
    const env = { ...cleanEnv(), PATH: `${folder}:${process.env["PATH"]}`, SALLYPORT_DATA: data };
    const sh = (script: string, more: Record<string, string> = {}) =>
      run("/bin/sh", ["-euc", script], { cwd: folder, env: { ...env, ...more } });
    const create = "sallyport keys create --env practice --name signer --role cli --model practice --json";
    const made = JSON.parse((await sh(create)).stdout) as { id: string; key: string };
    await sh(blocks.find(({ text }) => text.startsWith("openssl genpkey"))!.text);
    const register = blocks
      .find(({ text }) => text.includes("keys signers add"))!
      .text.replaceAll(" ID ", ` ${made.id} `);
    const keyid = /SHA256:[A-Za-z0-9+/]+/.exec((await sh(register)).stdout)![0];
    writeFileSync(join(folder, "sign.sh"), blocks.find(({ text }) => text.startsWith("#!/bin/sh"))!.text);
    const send = blocks
      .find(({ text }) => text.includes("./sign.sh GET"))!
      .text.replace("SHA256:…", keyid)
      .replace("=prod ", "=practice ")
      .replace("sp_prod_…", made.key)
      .replaceAll("https://llm.example.org", url)
      .replaceAll("llama3.2", "practice");
    // In its first seconds a gateway takes no signature that may have been used before it started.
    const sent = async (): Promise<string> => (await sh(send)).stdout;
    await expect.poll(sent, { timeout: 20_000, interval: 500 }).toMatch(/"models"[^]*\[practice\]/);
    const unsigned = await fetch(`${url}/api/tags`, { headers: { authorization: `Bearer ${made.key}` } });
    expect(unsigned.status).toBe(401);
  } finally {
    child.kill("SIGTERM");
    await new Promise((resolve) => child.on("exit", resolve));
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
