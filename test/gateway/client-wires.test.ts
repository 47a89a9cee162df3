/**
 * What programs were seen to send, written down from their own requests: those in `testdata/wires`, and by hand Claude
 * Code 2.1.197, Continue's command line 1.5.47, Open WebUI 0.12.4, Ollama's command line. None of them is needed here;
 * each request must be served, or refused in a form its program shows.
 */
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startGateway } from "./started-gateway.ts";
import type { RawAnswer, StartedGateway } from "./started-gateway.ts";

const MODEL = "registry.ollama.ai/library/llama3.2:latest";
let gateway: StartedGateway;
let key: string;

beforeAll(async () => {
  gateway = await startGateway();
  ({ key } = await gateway.issue({ roles: ["cli"], models: ["llama3.2"] }));
});
afterAll(() => gateway.stop());
beforeEach(() => void (gateway.upstream().deeds.length = 0));

function ask(method: string, path: string, body?: object, headers?: Record<string, string>): Promise<Response> {
  return fetch(`${gateway.gateway.dataUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

const ran = (): string[] => gateway.upstream().deeds.map(({ what, model }) => `${what} ${model}`);

describe("Claude Code", () => {
  const shell = { name: "Bash", description: "Runs a command", input_schema: { type: "object", properties: {} } };
  const first = {
    model: "llama3.2",
    messages: [
      { role: "user", content: [{ type: "text", text: "hello", cache_control: { type: "ephemeral" } }] },
      // A system message among the others, as its beta `mid-conversation-system` has it.
      { role: "system", content: "Available agent types" },
    ],
    system: [{ type: "text", text: "You are an agent", cache_control: { type: "ephemeral" } }],
    tools: [{ ...shell, input_schema: { $schema: "x", additionalProperties: false, ...shell.input_schema } }],
    metadata: { user_id: '{"device_id":"x"}' },
    max_tokens: 32_000,
    thinking: { type: "adaptive" },
    context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] },
    output_config: { effort: "high" },
    stream: true,
  };
  const headers = {
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "claude-code-20250219,context-management-2025-06-27,effort-2025-11-24",
    "anthropic-dangerous-direct-browser-access": "true",
    "x-app": "cli",
  };

  test("looks whether somebody is there, without a key", async () => {
    expect((await fetch(gateway.gateway.dataUrl, { method: "HEAD" })).status).toBe(200);
  });

  test("asks, and asks again with what its tool said", async () => {
    const answer = await ask("POST", "/v1/messages?beta=true", first, headers);
    expect([answer.status, (await answer.text()).includes("message_stop")]).toEqual([200, true]);
    const called = { type: "tool_use", id: "toolu_1", name: "Bash", input: { command: "ls" } };
    const result = { type: "tool_result", tool_use_id: "toolu_1", content: "a file", is_error: false };
    const messages = [
      ...first.messages,
      { role: "assistant", content: [called] },
      { role: "user", content: [{ ...result, cache_control: { type: "ephemeral" } }] },
    ];
    expect((await ask("POST", "/v1/messages?beta=true", { ...first, messages }, headers)).status).toBe(200);
    expect(ran()).toEqual([`chat ${MODEL}`, `chat ${MODEL}`]);
  });

  test("sends what its key helper printed in both headers", async () => {
    const both = { ...headers, "x-api-key": key };
    expect((await ask("POST", "/v1/messages?beta=true", first, both)).status).toBe(200);
  });

  test("is told of a model that its key has not, in the form it shows", async () => {
    const answer = await ask("POST", "/v1/messages?beta=true", { ...first, model: "claude-x" }, headers);
    expect([answer.status, await answer.json()]).toMatchObject([
      403,
      { type: "error", error: { code: "model_denied" } },
    ]);
  });

  test("counts no tokens: no such endpoint, as in Ollama, so it estimates", async () => {
    const { model, messages } = first;
    expect((await ask("POST", "/v1/messages/count_tokens?beta=true", { model, messages }, headers)).status).toBe(404);
  });
});

test.each([
  ["Anthropic's library", "/v1/models?limit=1000&beta=true"],
  ["Anthropic's library", "/v1/models/llama3.2?beta=true"],
  ["Codex", "/v1/models?client_version=0.171.0"],
])("%s lists models with a parameter of its own: %s", async (_, path) => {
  expect((await ask("GET", path)).status).toBe(200);
  const sent = gateway.upstream().seen.at(-1)!.url;
  expect(sent).not.toContain("?");
});

test("Continue's command line: a call of a tool and what it said", async () => {
  const call = { id: "call_1", type: "function", function: { name: "Bash", arguments: '{"command":"ls"}' } };
  const answer = await ask("POST", "/v1/chat/completions", {
    model: "llama3.2",
    messages: [
      { role: "system", content: "You are an agent" },
      { role: "user", content: "run ls" },
      { role: "assistant", content: "", tool_calls: [call] },
      { role: "tool", content: "a file\n", tool_call_id: "call_1" },
    ],
    stream: true,
    tools: [
      {
        type: "function",
        function: { name: "Bash", description: "x", parameters: { type: "object", properties: {} } },
      },
    ],
    stream_options: { include_usage: true },
  });
  expect([answer.status, (await answer.text()).includes("[DONE]")]).toEqual([200, true]);
});

describe("Open WebUI", () => {
  test.each(["/api/version", "/api/tags", "/api/ps", "/v1/models"])("asks for %s when it is set up", async (path) => {
    expect((await ask("GET", path)).status).toBe(200);
  });

  test("chats over either connection", async () => {
    const messages = [{ role: "user", content: "hi" }];
    const native = { model: "llama3.2:latest", messages, options: { temperature: 0.5 }, stream: true };
    expect((await ask("POST", "/api/chat", native)).status).toBe(200);
    expect((await ask("POST", "/v1/chat/completions", { model: "llama3.2:latest", messages })).status).toBe(200);
  });

  test("its administrator's unload and pull are refused to a key that does not name them, in words it shows", async () => {
    const unload = await ask("POST", "/api/generate", { model: "llama3.2", keep_alive: 0, prompt: "" });
    expect([unload.status, ((await unload.json()) as { error: string }).error]).toEqual([
      403,
      expect.stringContaining("runtime:unload"),
    ]);
    expect((await ask("POST", "/api/pull", { model: "gemma", insecure: true })).status).toBe(403);
    expect(ran()).toEqual([]);
  });
});

test("Ollama's command line: fields that are there and empty", async () => {
  const empty = { system: "", template: "", name: "" };
  const show = { model: "llama3.2", ...empty, verbose: false, options: null };
  expect((await ask("POST", "/api/show?ts=1795543936", show)).status).toBe(200);
  expect((await ask("POST", "/api/show?ts=1795543936", { ...show, model: "", name: "llama3.2" })).status).toBe(200);
  const run = { model: "llama3.2", prompt: "say hi", suffix: "", system: "", template: "", options: {} };
  expect((await ask("POST", "/api/generate?ts=1795543936", run)).status).toBe(200);
});

interface Wire {
  readonly client: string;
  readonly version: string;
  readonly requests: readonly WireRequest[];
}

/** As it was on the wire; long texts are cut, the model is `llama3.2`, and the key is not in it. */
interface WireRequest {
  readonly method: string;
  readonly path: string;
  /** Host, credential and length left out, in the order they came. */
  readonly headers: readonly (readonly [string, string])[];
  /** The request carried the key. */
  readonly key: boolean;
  readonly body?: { readonly keep_alive?: unknown; readonly tools?: readonly { type?: string }[] };
}

const WIRES = new URL("../../testdata/wires/", import.meta.url);
const wires = readdirSync(WIRES).map((name) => JSON.parse(readFileSync(new URL(name, WIRES), "utf8")) as Wire);

function replay({ method, path, headers, key: carriesKey, body }: WireRequest): Promise<RawAnswer> {
  const isChunked = headers.some(([name]) => name.toLowerCase() === "transfer-encoding");
  const text = body === undefined ? "" : JSON.stringify(body);
  const bytes = Buffer.byteLength(text);
  const lines = [
    `${method} ${path} HTTP/1.1`,
    "Host: localhost",
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(carriesKey ? [`Authorization: Bearer ${key}`] : []),
    ...(isChunked || body === undefined ? [] : [`Content-Length: ${bytes}`]),
  ];
  const sent = isChunked ? `${bytes.toString(16)}\r\n${text}\r\n0\r\n\r\n` : text;
  return gateway.raw(`${lines.join("\r\n")}\r\n\r\n${sent}`);
}

describe.each(wires)("$client $version, as it comes", ({ requests }) => {
  test.each(requests.map((request, at) => [`${at + 1}: ${request.method} ${request.path}`, request] as const))(
    "%s",
    async (_, request) => {
      const answer = await replay(request);
      // Some libraries look a model up without the key and go on when that fails.
      if (!request.key) return expect(answer.status).toBe(401);
      expect([answer.status, answer.status === 200 ? "" : answer.body]).toEqual([200, ""]);
      const adjusted = answer.headers["x-sallyport-adjusted"] ?? "";
      if (request.body?.keep_alive !== undefined) expect(adjusted).toContain("keep_alive=300");
      if (request.body?.tools?.some(({ type }) => type === "web_search"))
        expect(adjusted).toContain("tools.web_search");
      expect(gateway.upstream().deeds.map(({ what }) => what)).not.toContain("web_search");
    },
  );
});
