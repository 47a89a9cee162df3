/** Budgets on a real gateway: nothing passes them, a stream ends at them as its dialect ends long answers. */
import Anthropic from "@anthropic-ai/sdk";
import { Ollama } from "ollama";
import OpenAI from "openai";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { request, type IncomingMessage, type ServerResponse } from "node:http";
import { systemClock } from "../program-under-test.ts";
import { untilCounters, untilIdle } from "./gateway-counters.ts";
import { startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

let gateway: StartedGateway;
let leapMs = 0;
// Noon, so that no day ends while the tests run.
const noonMs = Date.UTC(2026, 10, 30, 12);
const startedMs = Date.now();
const clock = {
  now: () => noonMs + (Date.now() - startedMs) + leapMs,
  monotonic: () => systemClock.monotonic() + leapMs,
};

beforeAll(async () => (gateway = await startGateway({ clock })));
afterAll(() => gateway.stop());
beforeEach(() => void (gateway.upstream().intercept = undefined));
afterEach(() => untilIdle(gateway));

const messages = [{ role: "user" as const, content: "x" }];
const chat = { model: "llama3.2", messages };

async function keyWith(limits: object, more: object = {}): Promise<string> {
  return (await gateway.issue({ limits, ...more })).key;
}

async function said(answer: Promise<Response>): Promise<[status: number, code: unknown, retryAfter: number]> {
  const response = await answer;
  const body = (await response.json()) as { code?: string; error?: { code?: string } };
  return [response.status, body.code ?? body.error?.code, Number(response.headers.get("retry-after"))];
}

/** Writes one token a time until the connection is closed; counts what it wrote. */
function endless(kind: "native" | "openai" | "anthropic"): { tokens: number } {
  const state = { tokens: 0 };
  gateway.upstream().intercept = (_seen, response) => {
    response.writeHead(200, { "content-type": kind === "native" ? "application/x-ndjson" : "text/event-stream" });
    if (kind === "anthropic") writeBegin(response);
    const write = (): void => {
      if (response.destroyed) return;
      state.tokens++;
      response.write(pieceOf(kind));
      setImmediate(write);
    };
    write();
    return true;
  };
  return state;
}

function pieceOf(kind: "native" | "openai" | "anthropic"): string {
  if (kind === "native") return '{"model":"m","message":{"role":"assistant","content":"a"},"done":false}\n';
  if (kind === "openai")
    return 'data: {"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"a"}}]}\n\n';
  return 'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}\n\n';
}

function writeBegin(response: ServerResponse): void {
  const message = {
    id: "m",
    type: "message",
    role: "assistant",
    content: [],
    model: "m",
    usage: { input_tokens: 1, output_tokens: 0 },
  };
  response.write(`event: message_start\ndata: ${JSON.stringify({ type: "message_start", message })}\n\n`);
  response.write(
    'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
  );
}

describe("a stream ends at its budget as one that became too long", () => {
  test("in Ollama's dialect", async () => {
    const state = endless("native");
    const ollama = new Ollama({
      host: gateway.url,
      headers: { authorization: `Bearer ${await keyWith({ outputTokens: "50/day" })}` },
    });
    let text = "";
    let reason = "";
    for await (const part of await ollama.chat({ ...chat, stream: true })) {
      text += part.message.content;
      reason = part.done_reason ?? reason;
    }
    expect([text.length <= 50, text.length > 0, reason]).toEqual([true, true, "length"]);
    const outcome = await gateway.lastOutcome();
    expect(outcome).toMatchObject({ outcome: "limited", code: "quota_exceeded", output_tokens: text.length });
    expect(state.tokens).toBeGreaterThan(0);
  });

  test("in OpenAI's", async () => {
    endless("openai");
    const openai = new OpenAI({
      baseURL: `${gateway.url}/v1`,
      apiKey: await keyWith({ outputTokens: "50/day" }),
      maxRetries: 0,
    });
    let text = "";
    let reason: string | null = null;
    for await (const part of await openai.chat.completions.create({ ...chat, stream: true })) {
      text += part.choices[0]?.delta.content ?? "";
      reason = part.choices[0]?.finish_reason ?? reason;
    }
    expect([text.length <= 50, text.length > 0, reason]).toEqual([true, true, "length"]);
  });

  test("in Anthropic's", async () => {
    endless("anthropic");
    const anthropic = new Anthropic({
      baseURL: gateway.url,
      apiKey: await keyWith({ outputTokens: "50/day" }),
      maxRetries: 0,
    });
    const message = await anthropic.messages.stream({ ...chat, max_tokens: 4_000 }).finalMessage();
    const [block] = message.content;
    const text = block?.type === "text" ? block.text : "";
    expect([text.length <= 50, text.length > 0, message.stop_reason]).toEqual([true, true, "max_tokens"]);
  });
});

test("the cap that is sent is what is left of the budget", async () => {
  const key = await keyWith({ outputTokens: "40/day" });
  await (await gateway.post("/v1/chat/completions", key, { ...chat, max_tokens: 500 })).text();
  const { body } = gateway.upstream().seen.at(-1)!;
  expect(JSON.parse(body.toString())).toMatchObject({ max_tokens: 40 });
});

test("a budget that is used up denies until its window is over, and tells when that is", async () => {
  const key = await keyWith({ outputTokens: "5/day" });
  for (let i = 0; i < 2; i++) await (await gateway.post("/api/chat", key, { ...chat, stream: false })).text();
  const [status, code, retryAfter] = await said(gateway.post("/api/chat", key, { ...chat, stream: false }));
  expect([status, code]).toEqual([429, "quota_exceeded"]);
  expect(retryAfter).toBeGreaterThan(11 * 3_600);
  expect(retryAfter).toBeLessThanOrEqual(12 * 3_600);
  leapMs += 12 * 3_600_000;
  expect((await gateway.post("/api/chat", key, { ...chat, stream: false })).status).toBe(200);
});

test("requests of a day are counted once each, by the user and not by the key", async () => {
  await gateway.apply(
    `environments:\n  dev:\n    upstreams: [{ url: "${await upstreamUrl()}" }]\n    limits: { requests: 3/day }\n`,
  );
  const { id: ada } = await gateway.admin<{ id: string }>("POST", "/v1/principals", { kind: "person", name: "ada" });
  await gateway.admin("POST", "/v1/assignments", {
    subject: { principal: ada }, environment: "dev", roles: ["chatbot"], allow: [], models: ["llama3.2"],
  }); // prettier-ignore
  const keys = await Promise.all([1, 2].map(() => gateway.issue({ owner: ada, allow: ["infer:chat"] })));
  const statuses: number[] = [];
  for (const { key } of [keys[0]!, keys[1]!, keys[0]!, keys[1]!]) {
    const answer = await gateway.post("/api/chat", key, { ...chat, stream: false });
    await answer.text();
    statuses.push(answer.status);
  }
  expect(statuses).toEqual([200, 200, 200, 429]);
  await gateway.apply(`environments:\n  dev:\n    upstreams: [{ url: "${await upstreamUrl()}" }]\n`);
});

test("what never ran costs nothing", async () => {
  const url = await upstreamUrl();
  await gateway.apply(
    `environments:\n  dev:\n    upstreams: [{ url: "${url}", concurrency: 1 }]\n    queue: { length: 0 }\n`,
  );
  const key = await keyWith({ requests: "1/week" });
  expect((await gateway.post("/api/chat", key, { model: "qwen3", messages })).status).toBe(403);
  // Its part was reserved when it found no place in the queue.
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    gateway.upstream().intercept = (_seen, response) => {
      release = () => void response.writeHead(200, { "content-type": "application/json" }).end('{"done":true}\n');
      resolve();
      return true;
    };
  });
  const other = gateway.post("/api/chat", await keyWith({}), { ...chat, stream: false });
  await held;
  expect((await gateway.post("/api/chat", key, { ...chat, stream: false })).status).toBe(503);
  release();
  await (await other).text();
  await untilIdle(gateway);
  gateway.upstream().intercept = undefined;
  expect((await gateway.post("/api/chat", key, { ...chat, stream: false })).status).toBe(200);
  expect((await gateway.post("/api/chat", key, { ...chat, stream: false })).status).toBe(429);
});

test("a budget that policy narrows below what is used ends what runs", async () => {
  const url = await upstreamUrl();
  const policy = (budget: string): string =>
    `environments:\n  dev:\n    upstreams: [{ url: "${url}" }]\n    limits: { outputTokens: ${budget} }\n`;
  await gateway.apply(policy("100k/day"));
  endless("native");
  const answer = await gateway.post("/api/chat", await keyWith({}), chat);
  const reader = answer.body!.getReader();
  await reader.read();
  await gateway.apply(policy("1/day"));
  let text = "";
  for (let part = await reader.read(); !part.done; part = await reader.read())
    text = new TextDecoder().decode(part.value);
  expect(text).toContain("quota_exceeded");
  gateway.upstream().intercept = undefined;
  await gateway.apply(`environments:\n  dev:\n    upstreams: [{ url: "${url}" }]\n`);
});

test.each(["native", "openai"] as const)(
  "what comes together with the end of a stream draws from the budgets like what came before (%s)",
  async (kind) => {
    gateway.upstream().intercept = (_seen, response) => {
      response.writeHead(200, { "content-type": kind === "native" ? "application/x-ndjson" : "text/event-stream" });
      const end = kind === "native" ? '{"model":"m","done":true,"done_reason":"stop"}\n' : "data: [DONE]\n\n";
      response.end(pieceOf(kind).repeat(200) + end);
      return true;
    };
    const path = kind === "native" ? "/api/chat" : "/v1/chat/completions";
    const answer = await gateway.post(path, await keyWith({ outputTokens: "60/day" }), { ...chat, stream: true });
    const text = await answer.text();
    expect(text.match(/"content":"a"/g)!.length).toBeLessThanOrEqual(60);
    expect(text).toContain("length");
    expect(await gateway.lastOutcome()).toMatchObject({ outcome: "limited", code: "quota_exceeded" });
  },
);

test("an answer in one piece that is larger than what is left of a budget of bytes is not shown", async () => {
  gateway.upstream().intercept = (_seen, response) => {
    const message = { role: "assistant", content: "a".repeat(5_000) };
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ model: "m", message, done: true, done_reason: "stop" }));
    return true;
  };
  const key = await keyWith({ bytes: "3k/day" });
  expect((await said(gateway.post("/api/chat", key, { ...chat, stream: false }))).slice(0, 2)).toEqual([
    429,
    "quota_exceeded",
  ]);
});

test("bytes of an answer draw from a budget, and end the stream", async () => {
  endless("native");
  const answer = await gateway.post("/api/chat", await keyWith({ bytes: "20k/day" }), chat);
  const text = await answer.text();
  expect(text.length).toBeLessThanOrEqual(20_300);
  expect(JSON.parse(text.trim().split("\n").at(-1)!)).toMatchObject({ done_reason: "length" });
});

test("a request that waits long keeps what it reserved, and runs when its turn comes", async () => {
  const url = await upstreamUrl();
  await gateway.apply(
    `environments:\n  dev:\n    upstreams: [{ url: "${url}", concurrency: 1 }]\n    queue: { wait: 10m }\n`,
  );
  const held: ServerResponse[] = [];
  gateway.upstream().intercept = (_seen, response) => held.push(response) > 0;
  const first = gateway.post("/api/chat", await keyWith({}), { ...chat, stream: false });
  const key = await keyWith({ outputTokens: "500/day" });
  const second = gateway.post("/api/chat", key, chat);
  await untilCounters(gateway, ({ waiting }) => waiting === 1);
  leapMs += 60_000;
  // Bounds are looked at each second; the next look is over when another request has been aborted by its own.
  const bound = gateway.post("/api/chat", key, chat);
  await untilCounters(gateway, ({ waiting }) => waiting === 2);
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  // More than was reserved at first, so that more must be.
  gateway.upstream().intercept = (_seen, response) => {
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.end(pieceOf("native").repeat(100) + '{"model":"m","done":true,"done_reason":"stop","eval_count":100}\n');
    return true;
  };
  held[0]!.writeHead(200, { "content-type": "application/json" }).end('{"done":true}\n');
  await (await first).text();
  for (const answer of [second, bound])
    expect(JSON.parse((await (await answer).text()).trim().split("\n").at(-1)!)).toMatchObject({ done_reason: "stop" });
  await gateway.apply(`environments:\n  dev:\n    upstreams: [{ url: "${url}" }]\n`);
});

test("parallel streams do not pass a budget of all tokens together, input included", async () => {
  const long = [{ role: "user" as const, content: "word ".repeat(200) }];
  const key = await keyWith({ tokens: "1k/day" });
  endless("native");
  const asks = Array.from({ length: 3 }, () => gateway.post("/api/chat", key, { model: "llama3.2", messages: long }));
  const admitted = (await Promise.all(asks)).filter(({ status }) => status === 200);
  const texts = await Promise.all(admitted.map((answer) => answer.text()));
  const shown = texts.reduce((sum, text) => sum + (text.match(/"content":"a"/g)?.length ?? 0), 0);
  // A prompt of 1,000 characters counts as 250 tokens where its server reports none.
  expect(shown).toBeGreaterThan(0);
  expect(shown).toBeLessThanOrEqual(1_000 - 250 * admitted.length);
});

test("a soft budget denies nothing, and is recorded once when it is used up", async () => {
  const key = await keyWith({ outputTokens: "2/day", soft: ["outputTokens"] });
  for (let i = 0; i < 3; i++)
    expect((await gateway.post("/api/chat", key, { ...chat, stream: false })).status).toBe(200);
  const id = key.split("_")[2]!;
  const { records } = await gateway.admin<{ records: { fields: { account: string } }[] }>(
    "GET",
    "/v1/audit?type=quota.reached&limit=50&order=newest",
  );
  expect(records.filter(({ fields }) => fields.account.includes(id))).toHaveLength(1);
});

test("a restart forgets nothing", async () => {
  const key = await keyWith({ requests: "2/day" });
  await (await gateway.post("/api/chat", key, { ...chat, stream: false })).text();
  await untilIdle(gateway);
  await gateway.restart();
  await (await gateway.post("/api/chat", key, { ...chat, stream: false })).text();
  expect((await gateway.post("/api/chat", key, { ...chat, stream: false })).status).toBe(429);
});

async function upstreamUrl(): Promise<string> {
  return (await gateway.admin<{ upstreams: { url: string }[] }>("GET", "/v1/upstreams")).upstreams[0]!.url;
}

describe("the longest service time of one request", () => {
  const limits = { maxService: "30s" };

  test("ends a stream as one that became too long, and frees the slot", async () => {
    let upstreamResponse: ServerResponse | undefined;
    gateway.upstream().intercept = (_seen, response) => {
      upstreamResponse = response.writeHead(200, { "content-type": "application/x-ndjson" });
      response.write(pieceOf("native"));
      return true;
    };
    const answer = await gateway.post("/api/chat", await keyWith(limits), chat);
    const text = answer.text();
    leapMs += 31_000;
    const lines = (await text).trim().split("\n");
    expect(JSON.parse(lines.at(-1)!)).toMatchObject({ done: true, done_reason: "length" });
    expect(await gateway.lastOutcome()).toMatchObject({ outcome: "limited", code: "service_time_exceeded" });
    await untilIdle(gateway);
    expect(upstreamResponse!.destroyed).toBe(true);
  });

  test("denies an answer in one piece, of which nothing was shown", async () => {
    let isAsked = (): void => {};
    const asked = new Promise<void>((resolve) => (isAsked = resolve));
    gateway.upstream().intercept = () => (isAsked(), true);
    const answer = said(gateway.post("/api/chat", await keyWith(limits), { ...chat, stream: false }));
    await asked;
    leapMs += 31_000;
    expect((await answer).slice(0, 2)).toEqual([429, "service_time_exceeded"]);
  });
});

test("an answer says what it cost, if its caller asks", async () => {
  const key = await keyWith({});
  const ask = (stream: boolean, headers: Record<string, string>): Promise<Response> =>
    gateway.post("/api/chat", key, { ...chat, stream }, headers);
  const asks = { "x-sallyport-usage": "?1" };
  const whole = await ask(false, asks);
  expect(whole.headers.get("x-sallyport-usage")).toMatch(/^compute=\d+;queue=0$/);
  expect((await ask(true, asks)).headers.get("x-sallyport-usage")).toBe("queue=0");
  expect((await ask(false, {})).headers.get("x-sallyport-usage")).toBeNull();
  const trailers = await new Promise<IncomingMessage["trailers"]>((resolve) => {
    const headers = { authorization: `Bearer ${key}`, ...asks };
    const asked = request(`${gateway.url}/api/chat`, { method: "POST", headers }, (answer) =>
      answer.resume().on("end", () => resolve(answer.trailers)),
    );
    asked.end(JSON.stringify(chat));
  });
  expect(trailers["x-sallyport-usage"]).toMatch(/^compute=\d+;queue=0$/);
});

test("what runs and waits can be seen, with what each user got and how full budgets are", async () => {
  interface Seen {
    environments: {
      name: string;
      models: { model: string; slots: number }[];
      users: { requests: number; computeMs: number }[];
      requests: { state: string; key: string; model: string }[];
      budgets: { budget: string; used: number; amount: number }[];
    }[];
  }
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    gateway.upstream().intercept = (_seen, response) => {
      release = () => void response.writeHead(200, { "content-type": "application/json" }).end('{"done":true}\n');
      resolve();
      return true;
    };
  });
  const key = await keyWith({ outputTokens: "500/day" });
  const answer = gateway.post("/api/chat", key, { ...chat, stream: false });
  await held;
  const [dev] = (await gateway.admin<Seen>("GET", "/v1/activity")).environments;
  const id = key.split("_")[2]!;
  expect(dev!.requests.find((request) => request.key === id)).toMatchObject({ state: "running" });
  expect(dev!.budgets.find(({ amount }) => amount === 500)?.budget).toBe("outputTokens");
  expect(dev!.models[0]!.slots).toBeGreaterThan(0);
  release();
  await (await answer).text();
  await untilIdle(gateway);
  const [after] = (await gateway.admin<Seen>("GET", "/v1/activity")).environments;
  expect(after!.requests).toEqual([]);
  expect(after!.users[0]!.requests).toBeGreaterThan(0);
});
