/**
 * Servers that speak only OpenAI's dialect: what goes to them, under which name, and what their reports are worth. A
 * server that runs its one model under any name must not be a way around the permission on a model.
 */
import OpenAI from "openai";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { GoUpstream } from "../upstream/go-upstream.ts";
import { OpenaiUpstream, OUTPUT_TOKENS, PROMPT_TOKENS } from "../upstream/openai-upstream.ts";
import type { OpenaiUpstreamOptions, Report } from "../upstream/openai-upstream.ts";
import { closedUrl } from "../upstream/free-port.ts";
import { untilIdle } from "./gateway-counters.ts";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

let gateway: StartedGateway;
let key: string;
const opened: { close(): Promise<void> }[] = [];
const messages = [{ role: "user" as const, content: "hello there" }];

beforeAll(async () => {
  gateway = await startGateway();
  ({ key } = await gateway.issue({
    allow: ["infer:chat", "infer:generate", "infer:embed", "models:list", "models:show", "models:pull"],
    models: ["*"],
  }));
});
afterAll(() => gateway.stop());
afterEach(async () => {
  await untilIdle(gateway);
  for (const server of opened.splice(0)) await server.close();
});

interface Server {
  readonly upstream: OpenaiUpstream;
  readonly entry: string;
}

async function server(kind: string, options: OpenaiUpstreamOptions = {}): Promise<Server> {
  const upstream = new OpenaiUpstream(options);
  opened.push(upstream);
  return { upstream, entry: `{ url: "${await upstream.listen()}", kind: ${kind} }` };
}

function use(...entries: string[]): Promise<unknown> {
  return gateway.apply(`environments:\n  dev:\n    upstreams: [${entries.join(", ")}]\n`);
}

async function ask(path: string, body: object, as = key): Promise<[status: number, code: string, text: string]> {
  const answer = await gateway.post(path, as, body);
  const text = await answer.text();
  return [answer.status, answer.status < 300 ? "" : codeOf(text), text];
}

const chat = (model: string, more: object = {}, as = key): Promise<[number, string, string]> =>
  ask("/v1/chat/completions", { model, messages, ...more }, as);

describe("what is sent to a server of OpenAI's dialect", () => {
  test("requests under /v1/, and nothing of Ollama's own dialect", async () => {
    const { upstream, entry } = await server("openai");
    await use(entry);
    expect((await chat("org/Model-7B"))[0]).toBe(200);
    expect((await ask("/v1/embeddings", { model: "org/Model-7B", input: "x" }))[0]).toBe(200);
    for (const [path, body] of [
      ["/api/chat", { model: "org/Model-7B", messages }],
      ["/api/generate", { model: "org/Model-7B", prompt: "x" }],
      ["/api/pull", { model: "org/Model-7B" }],
      ["/api/show", { model: "org/Model-7B" }],
    ] as const)
      expect([path, ...(await ask(path, body)).slice(0, 2)]).toEqual([path, 404, "dialect_not_served"]);
    const tags = await fetch(`${gateway.url}/api/tags`, { headers: { authorization: `Bearer ${key}` } });
    expect([tags.status, codeOf(await tags.text())]).toEqual([404, "dialect_not_served"]);
    // The gateway itself looks whether the server is an Ollama that policy calls another kind.
    const others = upstream.asked.filter((line) => !line.includes(" /v1/") && line !== "GET /api/tags");
    expect(others).toEqual([]);
  });

  test("the official client works, streamed and whole", async () => {
    const { entry } = await server("openai");
    await use(entry);
    const client = new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
    const whole = await client.chat.completions.create({ model: "org/Model-7B", messages });
    expect(whole.choices[0]!.message.content).toContain("word");
    let text = "";
    let hasUsage = false;
    for await (const chunk of await client.chat.completions.create({ model: "org/Model-7B", messages, stream: true })) {
      text += chunk.choices[0]?.delta.content ?? "";
      hasUsage ||= chunk.usage !== undefined;
    }
    expect([text, hasUsage]).toEqual(["word ".repeat(8), false]);
  });

  test("the name as the server writes it, whatever the caller's spelling", async () => {
    const { upstream, entry } = await server("openai");
    await use(entry);
    for (const model of ["org/model-7b", "ORG/MODEL-7B:latest", " org/Model-7B"])
      expect([model, (await chat(model))[0]]).toEqual([model, 200]);
    expect(upstream.runs.map((run) => run.model)).toEqual(Array.from({ length: 3 }, () => "org/Model-7B"));
  });
});

describe("a server that runs its model under any name", () => {
  test("is sent no request for a model that it does not list", async () => {
    const { upstream, entry } = await server("llama.cpp", { flavour: "llama.cpp", models: ["secret"] });
    await use(entry);
    const weak = await gateway.issue({ allow: ["infer:chat"], models: ["allowed"] });
    expect((await chat("allowed", {}, weak.key)).slice(0, 2)).toEqual([404, "model_not_served"]);
    expect((await chat("secret", {}, weak.key)).slice(0, 2)).toEqual([403, "model_denied"]);
    expect(upstream.runs).toEqual([]);
    expect((await chat("secret"))[0]).toBe(200);
  });

  test("nor one that waited while the server changed its model", async () => {
    const { upstream, entry } = await server("llama.cpp", { flavour: "llama.cpp", models: ["before"] });
    await use(entry);
    expect((await chat("before"))[0]).toBe(200);
    upstream.models = ["after"];
    expect((await chat("before")).slice(0, 2)).toEqual([404, "model_not_served"]);
    expect(upstream.runs.length).toBe(1);
  });

  test("beside others gets only what it lists, and they get the rest", async () => {
    const one = await server("llama.cpp", { flavour: "llama.cpp", models: ["one"] });
    const two = await server("openai", { models: ["two"] });
    const ollama = new GoUpstream();
    opened.push(ollama);
    await use(one.entry, two.entry, `{ url: "${await ollama.listen()}" }`);
    for (let round = 0; round < 4; round++) {
      expect((await chat("one"))[0]).toBe(200);
      expect((await chat("two"))[0]).toBe(200);
      expect((await ask("/api/chat", { model: "llama3.2", messages, stream: false }))[0]).toBe(200);
    }
    const names = (upstream: OpenaiUpstream): string[] => [...new Set(upstream.runs.map((run) => run.model))];
    // A name that nobody lists is Ollama's to know.
    expect([names(one.upstream), names(two.upstream)]).toEqual([["one"], ["two"]]);
    expect(ollama.models).toContain("registry.ollama.ai/library/llama3.2:latest");
  });
});

test("the list of models is that of all servers, as far as the caller may see them", async () => {
  const one = await server("llama.cpp", { flavour: "llama.cpp", models: ["one", "hidden"] });
  const two = await server("openai", { models: ["two", "one"] });
  const ollama = new GoUpstream();
  opened.push(ollama);
  const listed = async (): Promise<string[]> => {
    const answer = await fetch(`${gateway.url}/v1/models`, { headers: { authorization: `Bearer ${weak.key}` } });
    return ((await answer.json()) as { data: { id: string }[] }).data.map(({ id }) => id).toSorted();
  };
  const weak = await gateway.issue({ allow: ["models:list"], models: ["one", "two", "llama3.2"] });
  await use(one.entry, two.entry);
  expect(await listed()).toEqual(["one", "two"]);
  await use(one.entry, two.entry, `{ url: "${await ollama.listen()}" }`);
  expect(await listed()).toEqual(["llama3.2:latest", "one", "two"]);
  await gateway.admin("POST", "/v1/environments/dev/upstreams/u3/drain", {});
  expect(await listed()).toEqual(["one", "two"]);
});

test("llama.cpp's server says how many requests it takes, and gets no more", async () => {
  const { upstream, entry } = await server("llama.cpp", { flavour: "llama.cpp", models: ["one"], slots: 2 });
  await use(entry);
  await chat("one");
  let release = (): void => {};
  upstream.held = new Promise<void>((resolve) => (release = resolve));
  const all = Array.from({ length: 5 }, () => chat("one"));
  while (upstream.runs.length < 3) await new Promise((resolve) => setImmediate(resolve));
  await chat("unlisted");
  expect(upstream.runs.length).toBe(3);
  release();
  expect((await Promise.all(all)).map(([status]) => status)).toEqual([200, 200, 200, 200, 200]);
});

test("an Ollama that policy calls another kind is asked for its remote models all the same", async () => {
  const ollama = new GoUpstream();
  opened.push(ollama);
  ollama.stubs.add("registry.ollama.ai/library/secret:latest");
  await use(`{ url: "${await ollama.listen()}", kind: openai }`);
  expect((await chat("secret")).slice(0, 2)).toEqual([403, "cloud_denied"]);
  expect(ollama.left).toEqual([]);
});

test("a list that cannot be read is told from a server that cannot be reached, and nothing is sent", async () => {
  const { upstream, entry } = await server("openai", { apiKey: "k" });
  await use(entry);
  expect((await chat("org/Model-7B")).slice(0, 2)).toEqual([502, "upstream_unlisted"]);
  expect(upstream.runs).toEqual([]);
  await use(`{ url: "${await closedUrl()}", kind: openai }`);
  expect((await chat("org/Model-7B")).slice(0, 2)).toEqual([502, "upstream_unreachable"]);
});

describe("usage", () => {
  const reports: readonly (readonly [Report, stream: boolean, expected: readonly [number, number] | null])[] = [
    ["true", false, [PROMPT_TOKENS, OUTPUT_TOKENS]],
    ["true", true, [PROMPT_TOKENS, OUTPUT_TOKENS]],
    ["with_last_choice", true, [PROMPT_TOKENS, OUTPUT_TOKENS]],
    ["missing", false, null],
    ["missing", true, null],
    ["zero", false, null],
    ["zero", true, null],
    ["absurd", false, null],
    ["absurd", true, null],
  ];
  test.each(reports)("a report that is %s (stream: %s) counts as %j", async (report, stream, expected) => {
    const { upstream, entry } = await server("openai");
    upstream.report = report;
    upstream.words = 2_000;
    await use(entry);
    expect((await chat("org/Model-7B", { stream }))[0]).toBe(200);
    const usage = await gateway.lastOutcome();
    if (expected) {
      expect([usage["input_tokens"], usage["output_tokens"], usage["is_estimated"]]).toEqual([...expected, false]);
      return;
    }
    expect(usage["is_estimated"]).toBe(true);
    expect(usage["output_tokens"]).toBeGreaterThan(0);
    expect(usage["output_tokens"]).toBeLessThan(100_000);
    expect(usage["input_tokens"]).toBe(3);
  });
});
