/**
 * A server decides by a model's manifest where it runs, not by the name. Whatever the name looks like and whoever made it,
 * no byte of a prompt leaves for a key that may not use the cloud.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

const INFER = ["infer:chat", "infer:generate", "infer:embed", "infer:audio", "runtime:load", "models:show"];
const NAME = "registry.ollama.ai/library/innocent:latest";
const PROMPT = "a prompt that stays here";

let gateway: StartedGateway;
let key: string;

beforeAll(async () => {
  gateway = await startGateway({ environments: ["dev", "open"] });
  await gateway.apply(
    `environments:\n  dev:\n    upstreams: [{ url: "${await urlOf("dev")}" }]\n  open:\n    upstreams: [{ url: "${await urlOf("open")}" }]\n    cloud: allow\n`,
  );
  ({ key } = await gateway.issue({ allow: INFER, models: ["*"] }));
});
afterAll(() => gateway.stop());
beforeEach(() => {
  for (const name of ["dev", "open"]) {
    const upstream = gateway.upstream(name);
    upstream.stubs.clear();
    upstream.left.length = 0;
    upstream.seen.length = 0;
    upstream.deeds.length = 0;
    upstream.intercept = undefined;
  }
});

async function urlOf(environment: string): Promise<string> {
  const { environments } = await gateway.admin<{ environments: { name: string; upstreams: { url: string }[] }[] }>(
    "GET",
    "/v1/environments",
  );
  return environments.find(({ name }) => name === environment)!.upstreams[0]!.url;
}

const messages = [{ role: "user", content: PROMPT }];
const DIALECTS: readonly (readonly [path: string, body: object])[] = [
  ["/api/chat", { messages }],
  ["/api/chat", { messages, stream: false }],
  ["/api/generate", { prompt: PROMPT }],
  ["/api/generate", { prompt: PROMPT, stream: false }],
  ["/api/generate", {}],
  ["/api/embed", { input: PROMPT }],
  ["/api/embeddings", { prompt: PROMPT }],
  ["/v1/chat/completions", { messages }],
  ["/v1/chat/completions", { messages, stream: true }],
  ["/v1/completions", { prompt: PROMPT }],
  ["/v1/responses", { input: PROMPT }],
  ["/v1/messages", { messages, max_tokens: 5 }],
  ["/v1/embeddings", { input: PROMPT }],
];

describe("a stub made on the server", () => {
  test.each(DIALECTS)("%s %j is denied", async (path, body) => {
    gateway.upstream().stubs.add(NAME);
    for (const model of ["innocent", "INNOCENT:latest", "library/innocent", "innocent:local", "https://innocent"]) {
      const answer = await gateway.post(path, key, { model, ...body });
      expect([model, answer.status, codeOf(await answer.text())]).toEqual([model, 403, "cloud_denied"]);
    }
    expect(gateway.upstream().left).toEqual([]);
    expect(gateway.upstream().seen).toEqual([]);
  });

  test("a transcription is denied", async () => {
    gateway.upstream().stubs.add(NAME);
    const form = new FormData();
    form.append("model", "innocent");
    form.append("file", new Blob([PROMPT]), "a.wav");
    const answer = await fetch(`${gateway.url}/v1/audio/transcriptions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}` },
      body: form,
    });
    expect([answer.status, gateway.upstream().left]).toEqual([403, []]);
  });

  test("a local model that becomes a stub between two requests is noticed", async () => {
    const chat = (): Promise<Response> =>
      gateway.post("/api/chat", key, { model: "innocent", messages, stream: false });
    expect((await chat()).status).toBe(200);
    gateway.upstream().stubs.add(NAME);
    expect((await chat()).status).toBe(403);
    gateway.upstream().stubs.clear();
    expect((await chat()).status).toBe(200);
    expect(gateway.upstream().left).toEqual([]);
  });

  test("an answer that comes from elsewhere after all is broken off", async () => {
    gateway.upstream().intercept = (seen, response) => {
      if (seen.url !== "/api/chat") return false;
      response.writeHead(200, { "content-type": "application/x-ndjson" });
      response.end(
        `{"model":"innocent","remote_host":"https://ollama.com","message":{"content":"SECRET"},"done":true}\n`,
      );
      return true;
    };
    const answer = await gateway.post("/api/chat", key, { model: "innocent", messages });
    const text = await answer.text();
    expect(text).not.toContain("SECRET");
    expect(text).toContain("cloud");
  });

  test("a server that serves and cannot say what it has is sent nothing", async () => {
    // Nothing was asked of this server yet: what was listed within the last second would do.
    const upstream = gateway.upstream("open");
    const other = await gateway.issue({ environment: "open", allow: INFER, models: ["*"] });
    upstream.failsToList = true;
    const chat = (): Promise<Response> => gateway.post("/api/chat", other.key, { model: "a", messages, stream: false });
    const answer = await chat();
    expect([answer.status, codeOf(await answer.text())]).toEqual([502, "upstream_unlisted"]);
    expect(upstream.deeds).toEqual([]);
    upstream.failsToList = false;
    expect((await chat()).status).toBe(200);
  });

  test("a server that is gone is told as such", async () => {
    const { port } = new URL(await urlOf("dev"));
    await gateway.upstream().close();
    const answer = await gateway.post("/api/chat", key, { model: "never-seen", messages });
    expect(answer.status).toBe(502);
    await gateway.upstream().listen(Number(port));
  });
});

describe("a stub made through the gateway", () => {
  const permissions = [...INFER, "cloud:infer", "models:create", "models:copy", "models:pull", "models:show"];

  test("is a cloud model to whoever uses it next", async () => {
    const strong = await gateway.issue({ environment: "open", allow: permissions, models: ["*", "cloud:*"] });
    const weak = await gateway.issue({ environment: "open", allow: INFER, models: ["*"] });
    const wide = await gateway.issue({
      environment: "open",
      allow: [...INFER, "cloud:infer"],
      models: ["*", "cloud:*"],
    });
    const made = await gateway.post("/api/create", strong.key, { model: "team-helper", from: "gpt-oss:120b-cloud" });
    expect([made.status, await made.text()]).toEqual([200, expect.stringContaining("success")]);
    const copied = await gateway.post("/api/copy", strong.key, { source: "team-helper", destination: "helper-2" });
    expect(copied.status).toBe(200);
    const upstream = gateway.upstream("open");
    for (const model of ["team-helper", "helper-2"]) {
      for (const [path, body] of DIALECTS) {
        const answer = await gateway.post(path, weak.key, { model, ...body });
        expect([path, answer.status]).toEqual([path, 403]);
        await answer.text();
      }
    }
    expect(upstream.left).toEqual([]);
    const allowed = await gateway.post("/api/chat", wide.key, { model: "team-helper", messages, stream: false });
    expect(allowed.status).toBe(200);
    expect(upstream.left).toHaveLength(1);
  });
});

test("the token ids of a hidden prompt stay hidden", async () => {
  const answer = await gateway.post("/api/generate", key, { model: "llama3.2", prompt: PROMPT, stream: false });
  const body = (await answer.json()) as Record<string, unknown>;
  expect([answer.status, body["done"], body["context"]]).toEqual([200, true, undefined]);
});
