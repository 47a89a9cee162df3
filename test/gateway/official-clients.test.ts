/**
 * The official clients, unmodified but for address and key. Against the recorded server's forms by default, against a real
 * Ollama with SALLYPORT_TEST_OLLAMA=http://host:port (SALLYPORT_TEST_MODEL and SALLYPORT_TEST_EMBED_MODEL name its models).
 */
import Anthropic from "@anthropic-ai/sdk";
import { Ollama } from "ollama";
import OpenAI, { toFile } from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

const real = process.env["SALLYPORT_TEST_OLLAMA"];
const MODEL = (real && process.env["SALLYPORT_TEST_MODEL"]) || "llama3.2";
const EMBED_MODEL = (real && process.env["SALLYPORT_TEST_EMBED_MODEL"]) || "tiny-bert";
/** A real model would work for minutes on what a recorded one answers at once. */
const MANY_TOKENS = real ? 32 : 32_000;
/** A small model may not find an end by itself. */
const few = real ? { max_tokens: 32 } : {};
const fewOutput = real ? { max_output_tokens: 32 } : {};
const fewOptions = real ? { options: { num_predict: 32 } } : {};
const messages = [{ role: "user" as const, content: "Say hello." }];

let gateway: StartedGateway;
let key: string;
let openai: OpenAI;
let anthropic: Anthropic;
let ollama: Ollama;

beforeAll(async () => {
  gateway = await startGateway();
  if (real) await gateway.apply(`environments:\n  dev:\n    upstreams: [{ url: "${real}" }]\n`);
  ({ key } = await gateway.issue({ roles: ["cli"], allow: ["infer:audio"], models: [MODEL, EMBED_MODEL] }));
  ollama = new Ollama({ host: gateway.url, headers: { authorization: `Bearer ${key}` } });
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key, maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: gateway.url, apiKey: key, maxRetries: 0 });
});
afterAll(() => gateway.stop());

/** The outcome records of the ledger, newest first. */
async function outcomes(): Promise<Record<string, unknown>[]> {
  const { records } = await gateway.admin<{ records: { fields: Record<string, unknown> }[] }>(
    "GET",
    "/v1/audit?type=request.outcome&limit=5",
  );
  return records.map((record) => record.fields);
}

describe("ollama", () => {
  test("chats", async () => {
    const answer = await ollama.chat({ model: MODEL, messages, ...fewOptions });
    expect(answer.message.content).not.toBe("");
    expect(answer.done).toBe(true);
  });

  test("streams a chat", async () => {
    const parts: string[] = [];
    for await (const part of await ollama.chat({ model: MODEL, messages, stream: true, ...fewOptions }))
      parts.push(part.message.content);
    expect(parts.length).toBeGreaterThan(1);
    const [last] = await outcomes();
    expect(last).toMatchObject({ outcome: "served", is_estimated: false });
    expect(last!["output_tokens"]).toBeGreaterThan(0);
  });

  test("generates", async () => {
    expect((await ollama.generate({ model: MODEL, prompt: "Say hello.", ...fewOptions })).response).not.toBe("");
  });

  test("embeds", async () => {
    expect((await ollama.embed({ model: EMBED_MODEL, input: ["a", "b"] })).embeddings[0]!.length).toBeGreaterThan(0);
  });

  test("lists what it may see, and nothing else", async () => {
    const names = (await ollama.list()).models.map((model) => model.name);
    expect(names).toContain(MODEL.includes(":") ? MODEL : `${MODEL}:latest`);
    if (!real) expect(names).toEqual(["llama3.2:latest", "tiny-bert:latest"]);
    if (!real)
      expect((await ollama.ps()).models.map((model) => model.name)).toEqual(["llama3.2:latest", "tiny-bert:latest"]);
  });

  test("shows a model without what is its owner's own", async () => {
    const shown = await ollama.show({ model: MODEL });
    expect(shown.details.format).not.toBe("");
    expect(JSON.stringify(shown)).not.toContain("TOPSECRET");
    expect(shown.modelfile).toBe("");
  });

  test("is told why another model is refused", async () => {
    await expect(ollama.chat({ model: "secret", messages })).rejects.toThrow(/does not allow this model/);
    await expect(ollama.pull({ model: MODEL })).rejects.toThrow(/does not allow this/);
  });

  test("aborts, and the server's work ends", async () => {
    const upstream = gateway.upstream();
    const before = upstream.aborted;
    upstream.intercept = (_seen, response) => {
      response.writeHead(200, { "content-type": "application/x-ndjson" });
      response.write('{"model":"m","created_at":"x","message":{"role":"assistant","content":"a"},"done":false}\n');
      return true;
    };
    const stream = await ollama.chat({ model: MODEL, messages, stream: true, options: { num_predict: 2_000 } });
    await expect(
      (async () => {
        for await (const _ of stream) stream.abort();
      })(),
    ).rejects.toThrow();
    upstream.intercept = undefined;
    if (!real) await expect.poll(() => upstream.aborted).toBe(before + 1);
    // Of a real server it is known by the record: the client went before the answer was whole.
    await expect.poll(async () => (await outcomes())[0]!["outcome"]).toBe("client_gone");
  });
});

describe("openai", () => {
  test("chats", async () => {
    const answer = await openai.chat.completions.create({ model: MODEL, messages, user: "someone", ...few });
    expect(answer.choices[0]!.message.content).not.toBe("");
    expect(answer.usage!.completion_tokens).toBeGreaterThan(0);
  });

  test("streams, with usage metered and not shown", async () => {
    const chunks = [];
    for await (const chunk of await openai.chat.completions.create({ model: MODEL, messages, stream: true, ...few }))
      chunks.push(chunk);
    expect(chunks.length).toBeGreaterThan(1);
    expect(chunks.every((chunk) => chunk.choices.length > 0 && !chunk.usage)).toBe(true);
    const [last] = await outcomes();
    expect(last).toMatchObject({ outcome: "served", is_estimated: false });
    expect(last!["output_tokens"]).toBeGreaterThan(0);
  });

  test("streams, with usage for who asks", async () => {
    const chunks = [];
    const asked = { model: MODEL, messages, stream: true as const, stream_options: { include_usage: true }, ...few };
    for await (const chunk of await openai.chat.completions.create(asked)) chunks.push(chunk);
    expect(chunks.at(-1)!.usage!.completion_tokens).toBeGreaterThan(0);
  });

  test("completes", async () => {
    const parts = [];
    for await (const part of await openai.completions.create({ model: MODEL, prompt: "Say", stream: true, ...few }))
      parts.push(part);
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.every((part) => part.usage === undefined)).toBe(true);
  });

  test("responds", async () => {
    expect((await openai.responses.create({ model: MODEL, input: "Say hello.", ...fewOutput })).status).toBe(
      "completed",
    );
    const types: string[] = [];
    for await (const event of await openai.responses.create({ model: MODEL, input: "x", stream: true, ...fewOutput }))
      types.push(event.type);
    expect(types.at(-1)).toBe("response.completed");
    expect((await outcomes())[0]).toMatchObject({ outcome: "served", is_estimated: false });
  });

  test("embeds and lists", async () => {
    const { data } = await openai.embeddings.create({ model: EMBED_MODEL, input: "a", encoding_format: "float" });
    expect(data[0]!.embedding.length).toBeGreaterThan(0);
    const ids = (await openai.models.list()).data.map((model) => model.id);
    if (!real) expect(ids).toEqual(["llama3.2:latest", "tiny-bert:latest"]);
    if (!real) expect((await openai.models.retrieve("llama3.2:latest")).id).toBe("llama3.2:latest");
  });

  test.skipIf(real && !process.env["SALLYPORT_TEST_AUDIO_MODEL"])("transcribes", async () => {
    const file = await toFile(Buffer.from("RIFF"), "speech.wav");
    expect(
      (await openai.audio.transcriptions.create({ model: MODEL, file, language: "en", temperature: 0 })).text,
    ).toBe("hello");
  });

  test("meets refusals as its own errors", async () => {
    await expect(openai.chat.completions.create({ model: "secret", messages })).rejects.toMatchObject({
      status: 403,
      code: "model_denied",
      type: "permission_error",
    });
    const stranger = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "ollama", maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toMatchObject({ status: 401, code: "credential_malformed" });
  });
});

describe("anthropic", () => {
  test("sends messages", async () => {
    const answer = await anthropic.messages.create({ model: MODEL, max_tokens: 16, messages });
    expect(answer.usage.output_tokens).toBeGreaterThan(0);
  });

  test("streams", async () => {
    const types: string[] = [];
    for await (const event of anthropic.messages.stream({ model: MODEL, max_tokens: 16, messages }))
      types.push(event.type);
    expect(types.at(-1)).toBe("message_stop");
    expect((await outcomes())[0]).toMatchObject({ outcome: "served", is_estimated: false });
  });

  test("meets refusals as its own errors", async () => {
    await expect(anthropic.messages.create({ model: "secret", max_tokens: 1, messages })).rejects.toMatchObject({
      status: 403,
    });
  });

  test("Claude Code's request forms pass", async () => {
    const headers = {
      "x-api-key": key,
      "anthropic-version": "2023-06-01",
      "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14",
    };
    const listed = await fetch(`${gateway.url}/v1/models?limit=1000`, { headers });
    expect(listed.status).toBe(200);
    // A real server rejects tools for a model that knows none.
    const capabilities: string[] = real ? (await ollama.show({ model: MODEL })).capabilities : ["tools"];
    const bash = {
      name: "Bash",
      description: "runs",
      input_schema: { type: "object", properties: { command: { type: "string" } } },
    };
    const body = {
      model: MODEL,
      max_tokens: MANY_TOKENS,
      system: [{ type: "text", text: "You are Claude Code.", cache_control: { type: "ephemeral" } }],
      messages: [{ role: "user", content: [{ type: "text", text: "hi", cache_control: { type: "ephemeral" } }] }],
      ...(capabilities.includes("tools") ? { tools: [bash] } : {}),
      metadata: { user_id: "user_x" },
      context_management: { edits: [] },
      temperature: 1,
      stream: true,
    };
    const answer = await fetch(`${gateway.url}/v1/messages?beta=true`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    expect([answer.status, text.includes("message_stop")]).toEqual([200, true]);
    if (!real) expect(gateway.upstream().seen.at(-1)!.url).toBe("/v1/messages");
  });
});
