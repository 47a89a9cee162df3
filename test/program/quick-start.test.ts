/** The first minute: one command, the line it prints, a streamed answer; the second run does not repeat itself. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GoUpstream } from "../upstream/go-upstream.ts";
import { ENTRY, cleanEnv, request, sallyport, sallyportJson } from "./program.ts";

let home: string;
beforeAll(() => void (home = mkdtempSync(join(tmpdir(), "sallyport-start-"))));
afterAll(() => rmSync(home, { recursive: true, force: true }));

interface Started {
  readonly child: ChildProcess;
  readonly said: string;
  readonly url: string;
  stop(): Promise<number | null>;
}

/** Starts it and waits until it has said its last line. */
function start(data: string, ollamaHost: string): Promise<Started> {
  const words = ["start", "--data", data, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
  const child = spawn(process.execPath, [ENTRY, ...words], {
    env: { ...cleanEnv(), OLLAMA_HOST: ollamaHost },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new Promise((resolve, reject) => {
    let said = "";
    let errors = "";
    const ended = new Promise<number | null>((done) => child.on("close", done));
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString("utf8")));
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString("utf8");
      if (!/\n(?:next .*\n(?:.+\n)+|another .*\n)\n$/.test(said)) return;
      const url = /data=(\S+)/.exec(said)![1]!;
      resolve({
        child,
        said,
        url,
        stop() {
          child.kill("SIGTERM");
          return ended;
        },
      });
    });
    ended.then((code) => reject(new Error(`start ended with ${code}: ${errors}`)), reject);
  });
}

test("without Ollama: a practice server, a key in a file of ours, the printed line works; then again", async () => {
  const data = join(home, "practice");
  const first = await start(data, "127.0.0.1:1");
  expect(first.said).toContain("demo model server runs in its place");
  const printed = /^curl (\S+) -H "Authorization: Bearer \$\(cat (\S+)\)" -d '(.*)'$/m.exec(first.said)!;
  const [, url, file, body] = printed as unknown as [string, string, string, string];
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const key = readFileSync(file, "utf8").trim();
  expect(first.said).not.toContain(key);
  const answer = await request("POST", url, key, JSON.parse(body));
  expect(answer.status).toBe(200);
  const lines = answer.text.trim().split("\n");
  expect(lines.length).toBeGreaterThan(5);
  expect(answer.text).toContain("[practice]");
  for (const [path, asked] of [
    ["/v1/chat/completions", { model: "practice", messages: [{ role: "user", content: "x" }], stream: true }],
    ["/v1/messages", { model: "practice", max_tokens: 9, messages: [{ role: "user", content: "x" }], stream: true }],
    ["/v1/responses", { model: "practice", input: "x" }],
    ["/api/generate", { model: "practice", prompt: "x", stream: false }],
    ["/v1/completions", { model: "practice", prompt: "x" }],
    ["/api/show", { model: "practice" }],
    ["/api/embed", { model: "practice", input: ["x"] }],
    ["/v1/embeddings", { model: "practice", input: "x" }],
  ] as const) {
    expect([path, (await request("POST", first.url + path, key, asked)).status]).toEqual([path, 200]);
  }
  for (const path of ["/api/tags", "/v1/models", "/api/ps"]) {
    expect([path, (await request("GET", first.url + path, key)).text.includes("practice")]).toEqual([path, true]);
  }
  const { records } = await sallyportJson<{ records: { fields: { outcome: string } }[] }>([
    "audit",
    "search",
    "--data",
    data,
    "--type",
    "request.outcome",
  ]);
  expect(new Set(records.map((record) => record.fields.outcome))).toEqual(new Set(["served"]));
  const beside = await sallyport(["serve", "--data", data, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
  expect([beside.code, beside.stderr.includes("is using the data directory")]).toEqual([3, true]);
  expect(await first.stop()).toBe(0);

  const second = await start(data, "127.0.0.1:1");
  expect(second.said).toContain("created earlier and not shown again");
  expect(second.said).not.toContain("curl");
  expect((await request("POST", `${second.url}/api/chat`, key, JSON.parse(body))).status).toBe(200);
  expect(await second.stop()).toBe(0);
});

test("with Ollama: it is found, its first model is in the printed line, and no practice server runs", async () => {
  const upstream = new GoUpstream({
    intercept: (seen, response) => {
      if (seen.url !== "/api/version") return false;
      response.writeHead(200, { "content-type": "application/json" }).end('{"version":"0.33.0"}');
      return true;
    },
  });
  const ollama = await upstream.listen();
  const started = await start(join(home, "found"), ollama.replace("http://", ""));
  expect(started.said).toContain(`found   Ollama at ${ollama}`);
  expect(started.said).toContain('"model":"llama3.2:latest"');
  const file = /\$\(cat (\S+)\)/.exec(started.said)![1]!;
  const answer = await request("POST", `${started.url}/api/chat`, readFileSync(file, "utf8").trim(), {
    model: "llama3.2",
    messages: [{ role: "user", content: "x" }],
  });
  expect([answer.status, upstream.models]).toEqual([200, ["registry.ollama.ai/library/llama3.2:latest"]]);
  expect(await started.stop()).toBe(0);
  await upstream.close();
});

test("the second start names the model server in use, and the printed command changes it", async () => {
  const data = join(home, "moved");
  const first = await start(data, "127.0.0.1:1");
  expect(first.said).toContain("accepted from this machine only");
  await first.stop();
  const upstream = new GoUpstream({
    intercept: (seen, response) => {
      if (seen.url !== "/api/version") return false;
      response.writeHead(200, { "content-type": "application/json" }).end('{"version":"0.33.0"}');
      return true;
    },
  });
  const ollama = await upstream.listen();
  const second = await start(data, ollama);
  expect(second.said).toContain("no Ollama at http://127.0.0.1:1");
  expect(second.said).toContain(`OLLAMA_HOST is ${ollama}, but dev uses http://127.0.0.1:1`);
  await second.stop();
  const [, policy] = /to change it: echo '([^']*)' \| npx sallyport apply -f - --yes/.exec(second.said)!;
  expect((await sallyport(["apply", "-f", "-", "--yes", "--data", data], {}, policy)).code).toBe(0);
  const third = await start(data, ollama);
  expect(third.said).toContain(`found   Ollama at ${ollama}`);
  expect(third.said).not.toContain("OLLAMA_HOST is");
  await third.stop();
  await upstream.close();
});

test("something else where Ollama was expected: it is said, and the practice server answers", async () => {
  const page = createServer((_request, response) => response.end("<html>hello</html>"));
  await new Promise<void>((resolve) => page.listen(0, "127.0.0.1", resolve));
  const { port } = page.address() as AddressInfo;
  const started = await start(join(home, "other"), `127.0.0.1:${port}`);
  expect(started.said).toContain(`found   the server at http://127.0.0.1:${port} is not Ollama: a demo model server`);
  expect(await started.stop()).toBe(0);
  page.close();
});

test.each([
  ["OLLAMA_HOST that is no address", { OLLAMA_HOST: "ftp://models" }, [], "write HOST:PORT"],
  ["a setting that there is not", { SALLYPORT_LISTE: "x" }, [], "SALLYPORT_LISTE: there is no such setting"],
  ["an address that is none", {}, ["--listen", "here"], "--listen: is not HOST:PORT"],
])("%s: exit code 2, a remedy, and nothing is made", async (_name, env, words, said) => {
  const data = join(home, "unmade");
  const ended = await sallyport(["start", "--data", data, ...words], env);
  expect([ended.code, ended.stderr.includes(said), ended.stderr.includes("remedy: ")]).toEqual([2, true, true]);
  expect(existsSync(data)).toBe(false);
});

test("a file where the data directory should be is told in words", async () => {
  const file = join(home, "file");
  writeFileSync(file, "");
  for (const data of [file, join(file, "below")]) {
    const ended = await sallyport([
      "start",
      "--data",
      data,
      "--listen",
      "127.0.0.1:0",
      "--admin-listen",
      "127.0.0.1:0",
    ]);
    expect([ended.code, ended.stderr]).toEqual([
      3,
      `sallyport: ${data} cannot be made: there is a file in its place or above it\n  remedy: choose another data directory with --data\n`,
    ]);
  }
});

test.each(["serve", "start"])(
  "%s: a port that is in use is told in words, and nothing is left behind",
  async (command) => {
    const upstream = new GoUpstream();
    const { port } = new URL(await upstream.listen());
    const data = join(home, `port-${command}`);
    const ended = await sallyport([
      command,
      "--data",
      data,
      "--listen",
      `127.0.0.1:${port}`,
      "--admin-listen",
      "127.0.0.1:0",
    ]);
    expect(ended.code).toBe(3);
    expect(ended.stderr).toContain(`127.0.0.1:${port} is in use by another program`);
    // The next `init` can show the recovery key.
    expect(existsSync(data)).toBe(false);
    await upstream.close();
  },
);
