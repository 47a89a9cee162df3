/** What a caller is told of a model server's errors: its words where they help, never its addresses; a stream that breaks off says so. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { untilIdle } from "./gateway-counters.ts";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

let gateway: StartedGateway;
let key: string;
const chat = { model: "llama3.2", messages: [{ role: "user" as const, content: "x" }] };
const line = '{"model":"m","created_at":"x","message":{"role":"assistant","content":"a"},"done":false}\n';

beforeAll(async () => {
  gateway = await startGateway();
  ({ key } = await gateway.issue());
});
afterAll(() => gateway.stop());
beforeEach(() => void (gateway.upstream().intercept = undefined));
afterEach(() => untilIdle(gateway));

describe("an error of the model server", () => {
  function answerWith(status: number, headers: Record<string, string>, body: string): void {
    gateway.upstream().intercept = (_seen, response) => {
      response.writeHead(status, headers).end(body);
      return true;
    };
  }

  test.each([
    [429, "7", "7"],
    [503, "999999", "3600"],
    [503, "0", "1"],
    [503, "-5", null],
    [503, "7; 8", null],
    [503, "Sun, 06 Nov 1994 08:49:37 GMT", "1"],
    [503, "tomorrow", null],
    [500, "7", null],
  ])("%i with retry-after %j: %j", async (status, sent, told) => {
    answerWith(status, { "content-type": "application/json", "retry-after": sent }, '{"error":"busy"}');
    const answer = await gateway.post("/api/chat", key, chat);
    expect([answer.status, answer.headers.get("retry-after"), await answer.json()]).toEqual([
      status,
      told,
      { error: "busy" },
    ]);
  });

  test.each([
    ["a page", 502, "text/html", "<h1>nginx at gpu-7.internal</h1>", 502, "upstream_error"],
    ["a page that is busy", 503, "text/html", "<h1>gpu-7.internal</h1>", 503, "upstream_busy"],
    ["plain words", 404, "text/plain", "no route gpu-7.internal", 502, "upstream_error"],
    ["JSON of another kind", 500, "application/json", '{"host":"gpu-7.internal"}', 502, "upstream_error"],
    ["what denies the gateway", 401, "application/json", '{"error":"no"}', 502, "upstream_denied"],
    ["a proxy that denies it", 407, "text/html", "gpu-7.internal", 502, "upstream_denied"],
  ])("%s is told in our words, in each dialect", async (_, status, type, body, toldStatus, code) => {
    answerWith(status, { "content-type": type }, body);
    for (const [path, ask] of [
      ["/api/chat", chat],
      ["/v1/chat/completions", chat],
      ["/v1/messages", { ...chat, max_tokens: 5 }],
    ] as const) {
      const answer = await gateway.post(path, key, ask);
      const text = await answer.text();
      expect([answer.status, codeOf(text)]).toEqual([toldStatus, code]);
      expect(text).not.toContain("gpu-7");
    }
  });

  test("keeps a model server's own words, without addresses and paths of its network", async () => {
    const words =
      'model "x" failed: Post "http://127.0.0.1:38011/completion": dial tcp 10.1.0.5:11434, [fd00::1]:80 at /usr/share/ollama/.ollama/models/blobs/sha256-1: see https://ollama.com/library';
    answerWith(500, { "content-type": "application/json" }, JSON.stringify({ error: words, internal: "gpu-7" }));
    const answer = await gateway.post("/api/chat", key, chat);
    expect([answer.status, await answer.json()]).toEqual([
      500,
      {
        error:
          'model "x" failed: Post "(address)": dial tcp (address), (address) at (path): see https://ollama.com/library',
      },
    ]);
  });

  test("inside a stream is cleaned as well", async () => {
    gateway.upstream().intercept = (_seen, response) => {
      response
        .writeHead(200, { "content-type": "application/x-ndjson" })
        .end(`${line}{"error":"dial tcp 10.1.0.5:1: refused"}\n`);
      return true;
    };
    const text = await (await gateway.post("/api/chat", key, chat)).text();
    expect([text.includes("10.1.0.5"), text.includes("refused")]).toEqual([false, true]);
  });
});

describe("an event stream that ends without its mark ends with an error", () => {
  const events = {
    "/v1/chat/completions": 'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n',
    "/v1/messages":
      'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}}\n\n',
    "/v1/responses": 'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"a"}\n\n',
  };
  test.each(Object.entries(events))("%s", async (path, event) => {
    for (const end of [event, `${event}data: {"half`]) {
      gateway.upstream().intercept = (_seen, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" }).end(end);
        return true;
      };
      const body = path === "/v1/responses" ? { model: "llama3.2", input: "x" } : { ...chat, max_tokens: 5 };
      const text = await (await gateway.post(path, key, { ...body, stream: true })).text();
      const parts = text.trim().split("\n\n");
      expect(parts.length).toBe(2);
      expect(parts[1]).toContain("upstream_broken");
      expect(parts[1]!.startsWith(path === "/v1/messages" ? "event: error\ndata: " : "data: ")).toBe(true);
      expect(await gateway.lastOutcome()).toMatchObject({ outcome: "incomplete" });
    }
  });
});
