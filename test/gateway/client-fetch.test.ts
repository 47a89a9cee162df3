/** The official libraries with the client's `fetch`: they know no key, and outlive a rotation without noticing. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Anthropic from "@anthropic-ai/sdk";
import { resolveCredential, sallyportFetch } from "@sallyport/client";
import { Ollama } from "ollama";
import OpenAI, { toFile } from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startGateway } from "./started-gateway.ts";
import type { IssuedKey, StartedGateway } from "./started-gateway.ts";

const model = "llama3.2";
const messages = [{ role: "user" as const, content: "Say hello." }];

let gateway: StartedGateway;
let home: string;
let file: string;
let key: IssuedKey;
let env: Record<string, string>;
beforeAll(async () => {
  gateway = await startGateway();
  home = mkdtempSync(join(tmpdir(), "sallyport-client-"));
  file = join(home, "credentials.json");
  env = { SALLYPORT_CREDENTIALS: file };
  key = await gateway.issue({ roles: ["cli"], allow: ["infer:audio"], models: [model] });
  keep(key.key);
});
afterAll(async () => {
  await gateway.stop();
  rmSync(home, { recursive: true, force: true });
});

function keep(text: string): void {
  const gateways = { [gateway.url]: { dev: { key: text } } };
  writeFileSync(file, JSON.stringify({ version: 1, gateways }), { mode: 0o600 });
}

function libraries() {
  const fetch = sallyportFetch({ url: gateway.url, env });
  return {
    ollama: new Ollama({ host: gateway.url, fetch }),
    openai: new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "unused", maxRetries: 0, fetch }),
    anthropic: new Anthropic({ baseURL: gateway.url, apiKey: "unused", maxRetries: 0, fetch }),
  };
}

async function useAll({ ollama, openai, anthropic }: ReturnType<typeof libraries>): Promise<void> {
  expect((await ollama.chat({ model, messages })).message.content).not.toBe("");
  expect((await openai.chat.completions.create({ model, messages })).choices[0]!.message.content).not.toBe("");
  expect((await anthropic.messages.create({ model, max_tokens: 9, messages })).content.length).toBeGreaterThan(0);
}

test("whole answers, streams, lists and uploads", async () => {
  const all = libraries();
  await useAll(all);
  const parts: string[] = [];
  for await (const part of await all.ollama.chat({ model, messages, stream: true })) parts.push(part.message.content);
  for await (const chunk of await all.openai.chat.completions.create({ model, messages, stream: true }))
    parts.push(chunk.id);
  for await (const event of all.anthropic.messages.stream({ model, max_tokens: 9, messages })) parts.push(event.type);
  expect(parts.length).toBeGreaterThan(6);
  expect((await all.ollama.list()).models.map(({ name }) => name)).toEqual(["llama3.2:latest"]);
  const speech = await toFile(Buffer.from("RIFF"), "speech.wav");
  expect((await all.openai.audio.transcriptions.create({ model, file: speech })).text).toBe("hello");
});

test("a rotation that ends the old secret is not noticed, once the new one is in the file", async () => {
  const all = libraries();
  await useAll(all);
  const rotated = await gateway.admin<{ key: string }>("POST", `/v1/keys/${key.id}/rotate`, { grace: "1h" });
  keep(rotated.key);
  // The old secret still works, and libraries that hold it go on; the first use of the new one begins the overlap.
  await useAll(all);
  await useAll(libraries());
  const states = async (): Promise<string[]> =>
    (await gateway.admin<{ secrets: { state: string }[] }>("GET", `/v1/keys/${key.id}`)).secrets.map(
      (one) => one.state,
    );
  await expect.poll(states, { timeout: 10_000 }).toEqual(["overlapping", "active"]);
  await gateway.admin("POST", `/v1/keys/${key.id}/finish`);
  expect((await gateway.post("/api/chat", key.key, { model, messages })).status).toBe(401);
  await useAll(all);
});

test("what the gateway refuses reaches the caller as the library's own error", async () => {
  const { openai } = libraries();
  await expect(openai.chat.completions.create({ model: "secret", messages })).rejects.toMatchObject({ status: 403 });
  const revoked = await gateway.issue();
  await gateway.admin("POST", `/v1/keys/${revoked.id}/revoke`);
  const held = sallyportFetch({ url: gateway.url, env: { HOME: home, SALLYPORT_API_KEY: revoked.key } });
  const other = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "unused", maxRetries: 0, fetch: held });
  await expect(other.models.list()).rejects.toMatchObject({ status: 401, code: "key_revoked" });
});

test("a redirect takes the credential nowhere, and another server gets nothing", async () => {
  const seen: (string | undefined)[] = [];
  const thief = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.end("{}");
  });
  const lure = createServer((_request, response) => {
    const { port } = thief.address() as AddressInfo;
    response.writeHead(307, { location: `http://127.0.0.1:${port}/` }).end();
  });
  await Promise.all([thief, lure].map((server) => new Promise<void>((done) => server.listen(0, "127.0.0.1", done))));
  const url = `http://127.0.0.1:${(lure.address() as AddressInfo).port}`;
  const ask = sallyportFetch({ url, env: { HOME: home, SALLYPORT_API_KEY: key.key } });
  await expect(ask(`${url}/api/chat`, { method: "POST", body: "x" })).rejects.toThrow();
  await expect(ask(`http://127.0.0.1:${(thief.address() as AddressInfo).port}/`)).rejects.toThrow(/speaks to/);
  expect(seen).toEqual([]);
  for (const server of [thief, lure]) server.close();
});

test("a program that prints the key is enough, and its failure is told before anything is sent", async () => {
  const helper = join(home, "helper");
  const fresh = await gateway.issue();
  writeFileSync(helper, `#!/bin/sh\necho '{"version":1,"key":"${fresh.key}"}'\n`, { mode: 0o700 });
  const other = join(home, "helper.json");
  const gateways = { [gateway.url]: { dev: { helper: [helper] } } };
  writeFileSync(other, JSON.stringify({ version: 1, gateways }), { mode: 0o600 });
  const options = { url: gateway.url, env: { SALLYPORT_CREDENTIALS: other } };
  expect(await resolveCredential(options)).toMatchObject({ source: "helper", keyId: fresh.id, environment: "dev" });
  const ollama = new Ollama({ host: gateway.url, fetch: sallyportFetch(options) });
  expect((await ollama.chat({ model, messages })).message.content).not.toBe("");
  writeFileSync(helper, "#!/bin/sh\nexit 1\n");
  const lost = new Ollama({ host: gateway.url, fetch: sallyportFetch(options) });
  await expect(lost.chat({ model, messages })).rejects.toMatchObject({ code: "credential_source_failed" });
});
