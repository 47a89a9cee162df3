/** Keys in what passes the gateway: in prompts and answers, by policy, and in no file, log, record or metric. */
import { createServer } from "node:http";
import type { Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { codeOf, startGateway } from "../gateway/started-gateway.ts";
import type { IssuedKey, StartedGateway } from "../gateway/started-gateway.ts";

const MODES = ["notify", "redact", "stop", "quarantine"] as const;
let gateway: StartedGateway;
let server: Server;
/** What the model server got, and what it says. */
let received = "";
let answer: (url: string) => { type: string; chunks: readonly string[] };
const keys: Record<string, IssuedKey> = {};

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = "";
    request.setEncoding("latin1").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      if (request.method === "POST" && request.url !== "/api/show") received = body;
      if (request.url === "/api/tags") return void response.end('{"models":[{"name":"llama3.2:latest","model":"llama3.2:latest"}]}'); // prettier-ignore
      if (request.url === "/api/show") return void response.end("{}");
      const { type, chunks } = answer(request.url ?? "");
      response.writeHead(200, { "content-type": type });
      for (const chunk of chunks) response.write(chunk);
      response.end();
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  // The log is written as in production, so that it can be searched.
  gateway = await startGateway({ settings: { logLevel: "debug" } });
  const entries = MODES.map((mode) => `  ${mode}:\n    upstreams: [{ url: "${url}", shared: true }]\n    leaks: { traffic: ${mode} }\n`); // prettier-ignore
  await gateway.apply(`environments:\n${entries.join("")}`);
  for (const mode of MODES)
    keys[mode] = await gateway.issue({ environment: mode, allow: ["infer:chat", "infer:generate", "infer:audio"] });
}, 30_000);
afterAll(async () => {
  await gateway.stop();
  server.close();
});

const ndjson = (tokens: readonly string[]) => (): { type: string; chunks: readonly string[] } => ({
  type: "application/x-ndjson",
  chunks: [
    ...tokens.map((content) => `${JSON.stringify({ model: "llama3.2", message: { role: "assistant", content }, done: false })}\n`),
    '{"model":"llama3.2","message":{"role":"assistant","content":""},"done":true,"prompt_eval_count":1,"eval_count":1}\n',
  ],
}); // prettier-ignore
const chat = (mode: string, content: string): Promise<Response> =>
  gateway.post("/api/chat", keys[mode]!.key, { model: "llama3.2", messages: [{ role: "user", content }] });
/** Someone else's key in the same environment. */
const other = (mode: string): Promise<IssuedKey> => gateway.issue({ environment: mode });
async function seen(id: string): Promise<Record<string, unknown>[]> {
  const { records } = await gateway.admin<{ records: { fields: Record<string, unknown> }[] }>(
    "GET",
    `/v1/audit?type=leak.in_traffic&limit=1000&order=oldest`,
  );
  return records.map(({ fields }) => fields).filter(({ key }) => key === id);
}
async function whenSeen(id: string): Promise<Record<string, unknown>> {
  for (;;) {
    const [first] = await seen(id);
    if (first) return first;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
const stateOf = async ({ id }: IssuedKey): Promise<string> =>
  (await gateway.admin<{ state: string }>("GET", `/v1/keys/${id}`)).state;
const secretOf = ({ key }: IssuedKey): string => key.slice(-49);

it("a key in a prompt is passed, covered, or stopped, as policy says, and recorded without its secret", async () => {
  answer = ndjson(["hello"]);
  for (const mode of MODES) {
    const leaked = await other(mode);
    received = "";
    const answered = await chat(mode, `my key is ${leaked.key}, why does it not work?`);
    const text = await answered.text();
    if (mode === "notify" || mode === "redact") {
      expect([mode, answered.status]).toEqual([mode, 200]);
      expect(received).toContain(mode === "notify" ? leaked.key : `${leaked.key.slice(0, -49)}${"*".repeat(49)}`);
    } else {
      expect([mode, answered.status, codeOf(text)]).toEqual([mode, 400, "key_in_request"]);
      expect(received).toBe("");
    }
    if (mode !== "notify") expect(received).not.toContain(secretOf(leaked));
    expect(text).not.toContain(secretOf(leaked));
    const fields = await whenSeen(leaked.id);
    expect(fields).toMatchObject({ where: "request", action: mode, verdict: "working" });
    if (mode !== "quarantine") expect(await stateOf(leaked)).toBe("active");
    else await vi.waitUntil(async () => (await stateOf(leaked)) === "suspended");
  }
});

it("is found however the client escapes it, in tool calls and in a form's file name", async () => {
  answer = ndjson(["hello"]);
  const leaked = await other("stop");
  const escaped = Array.from(leaked.key)
    .map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
  const bodies = [
    `{"model":"llama3.2","messages":[{"role":"user","content":"${escaped}"}]}`,
    JSON.stringify({ model: "llama3.2", messages: [{ role: "assistant", content: "", tool_calls: [{ function: { name: "f", arguments: { env: { token: leaked.key } } } }] }] }), // prettier-ignore
    JSON.stringify({ model: "llama3.2", messages: [{ role: "user", content: JSON.stringify({ a: JSON.stringify({ k: leaked.key }) }) }] }), // prettier-ignore
  ];
  for (const body of bodies) {
    const answered = await gateway.post("/api/chat", keys["stop"]!.key, body);
    expect([answered.status, codeOf(await answered.text())]).toEqual([400, "key_in_request"]);
  }
  const covering = bodies[0]!;
  expect((await gateway.post("/api/chat", keys["redact"]!.key, covering)).status).toBe(200);
  expect(received).toContain(`${leaked.key.slice(0, -49)}${"*".repeat(49)}`);
  const form = new FormData();
  form.set("model", "llama3.2");
  form.set("file", new Blob(["RIFF"]), `${leaked.key}.wav`);
  const answered = await fetch(`${gateway.url}/v1/audio/transcriptions`, {
    method: "POST",
    headers: { authorization: `Bearer ${keys["stop"]!.key}` },
    body: form,
  });
  expect([answered.status, codeOf(await answered.text())]).toEqual([400, "key_in_request"]);
  const named = await gateway.post("/api/chat", keys["notify"]!.key, { model: leaked.key, messages: [] });
  expect([named.status, codeOf(await named.text())]).toEqual([400, "key_in_request"]);
});

it("a key that the model writes token by token is covered or ends the response", async () => {
  for (const mode of MODES) {
    const leaked = await other(mode);
    answer = ndjson(["The key is ", ...leaked.key.match(/.{1,3}/g)!, ". Keep it."]);
    const text = await (await chat(mode, "what is the key?")).text();
    const said = [...text.matchAll(/"content":"([^"]*)"/g)].map((match) => match[1]).join("");
    if (mode === "notify") expect(said).toBe(`The key is ${leaked.key}. Keep it.`);
    else if (mode === "redact") expect(said).toBe(`The key is ${leaked.key.slice(0, -49)}${"*".repeat(49)}. Keep it.`);
    else {
      expect(text).toContain("key_in_response");
      expect(said).not.toContain(secretOf(leaked).slice(0, 6));
    }
    expect(await whenSeen(leaked.id)).toMatchObject({ where: "response", action: mode });
    if (mode === "quarantine") await vi.waitUntil(async () => (await stateOf(leaked)) === "suspended");
  }
});

it("an answer in one piece and an error text are looked at, too", async () => {
  const leaked = await other("redact");
  const whole = JSON.stringify({ model: "llama3.2", message: { role: "assistant", content: leaked.key }, done: true });
  answer = () => ({ type: "application/json", chunks: [whole.slice(0, 90), whole.slice(90)] });
  const answered = await gateway.post("/api/chat", keys["redact"]!.key, { model: "llama3.2", stream: false, messages: [{ role: "user", content: "x" }] }); // prettier-ignore
  const text = await answered.text();
  expect([answered.status, text.includes(secretOf(leaked)), text.includes("*".repeat(49))]).toEqual([200, false, true]);
  expect(() => JSON.parse(text) as unknown).not.toThrow();
});

it("an unknown key with a right checksum is covered, and an id alone is nothing", async () => {
  answer = ndjson(["hello"]);
  const { formatKeyText } = await import("@sallyport/protocol");
  const victim = await other("quarantine");
  const forged = formatKeyText("sp", "quarantine", victim.id, "x".repeat(43));
  expect((await chat("quarantine", forged)).status).toBe(400);
  expect((await chat("quarantine", `about ${victim.id} and ${victim.key.slice(0, -1)}`)).status).toBe(200);
  expect(await whenSeen(victim.id)).toMatchObject({ verdict: "unproven" });
  expect(await stateOf(victim)).toBe("active");
});

it("the caller's own key in its header is no leak", async () => {
  answer = ndjson(["hello"]);
  expect((await chat("quarantine", "hello")).status).toBe(200);
  expect(await seen(keys["quarantine"]!.id)).toEqual([]);
});

it("a flood of keys by one caller makes few records", async () => {
  answer = ndjson(["hello"]);
  const { formatKeyText } = await import("@sallyport/protocol");
  const flooder = await gateway.issue({ environment: "stop", allow: ["infer:chat"] });
  const text = (at: number): string => formatKeyText("sp", "stop", String(at).padStart(12, "0"), "y".repeat(43));
  const all = Array.from({ length: 60 }, (_, at) => text(at));
  for (const part of [all.slice(0, 30), all.slice(30)]) {
    const body = { model: "llama3.2", messages: [{ role: "user", content: part.join(" ") }] };
    expect((await gateway.post("/api/chat", flooder.key, body)).status).toBe(400);
  }
  await whenSeen("000000000009");
  const { records } = await gateway.admin<{ records: { actor: string }[] }>("GET", "/v1/audit?type=leak.in_traffic&limit=1000"); // prettier-ignore
  expect(records.filter(({ actor }) => actor === `key:${flooder.id}`)).toHaveLength(10);
});

it("a key typed into a chat is in no file, log, record or metric", async () => {
  const leaked = await other("stop");
  const secret = secretOf(leaked);
  const output: string[] = [];
  const write = vi.spyOn(process.stderr, "write").mockImplementation((text) => output.push(String(text)) > 0);
  try {
    answer = ndjson(["hello"]);
    await chat("stop", leaked.key);
    await gateway.post("/api/chat", keys["stop"]!.key, { model: `${leaked.key}:x`, messages: [] });
    await gateway.post("/v1/chat/completions", keys["stop"]!.key, { model: leaked.key, [leaked.key]: leaked.key, messages: [] }); // prettier-ignore
    await gateway.post(`/api/chat?k=${leaked.key}`, keys["stop"]!.key, "{}");
    await fetch(`${gateway.url}/${leaked.key}`, { headers: { "user-agent": leaked.key, authorization: `Bearer ${keys["stop"]!.key}` } }); // prettier-ignore
    await fetch(`${gateway.url}/api/tags`, { headers: { "user-agent": `${leaked.key}/1.0`, authorization: `Bearer ${keys["stop"]!.key}` } }); // prettier-ignore
    await whenSeen(leaked.id);
    const metrics = await fetch(`${gateway.gateway.adminUrl}/metrics`, { headers: { authorization: `Bearer ${gateway.adminKey}` } }); // prettier-ignore
    expect((await metrics.text()).toLowerCase()).not.toContain(secret.toLowerCase());
    const audit = await gateway.admin("GET", "/v1/audit?limit=1000");
    expect(JSON.stringify(audit).toLowerCase()).not.toContain(secret.toLowerCase());
    await gateway.restart();
  } finally {
    write.mockRestore();
  }
  expect(output.join("").toLowerCase()).not.toContain(secret.toLowerCase());
  const files = readdirSync(gateway.directory, { recursive: true, encoding: "utf8" })
    .map((name) => join(gateway.directory, name))
    .filter((path) => statSync(path).isFile());
  expect(files.length).toBeGreaterThan(5);
  for (const path of files)
    expect([path, readFileSync(path, "latin1").toLowerCase().includes(secret.toLowerCase())]).toEqual([path, false]);
});
