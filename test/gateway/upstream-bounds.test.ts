/** Each time bound of a call is its own: connecting, the first byte, silence, the whole answer, the wait in the queue. */
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import type { ServerResponse } from "node:http";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../program-under-test.ts";
import { untilCounters, untilIdle } from "./gateway-counters.ts";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

let gateway: StartedGateway;
let key: string;
let url: string;
let leapMs = 0;
const clock = { now: () => systemClock.now(), monotonic: () => systemClock.monotonic() + leapMs };
const chat = { model: "llama3.2", messages: [{ role: "user" as const, content: "x" }] };
const line = '{"model":"m","created_at":"x","message":{"role":"assistant","content":"a"},"done":false}\n';
const last =
  '{"model":"m","message":{"role":"assistant","content":""},"done":true,"eval_count":1,"prompt_eval_count":1}\n';

beforeAll(async () => {
  gateway = await startGateway({ clock });
  ({ key } = await gateway.issue());
  ({ url } = (await gateway.admin<{ upstreams: { url: string }[] }>("GET", "/v1/upstreams")).upstreams[0]!);
});
afterAll(() => gateway.stop());
beforeEach(() => void (gateway.upstream().intercept = undefined));
afterEach(() => untilIdle(gateway));

function use(upstream: string, environment = ""): Promise<unknown> {
  return gateway.apply(`environments:\n  dev:\n    upstreams: [{ url: "${url}", ${upstream} }]\n${environment}`);
}

/** The model server holds its answer; the test says what it does. */
function hold(): Promise<ServerResponse> {
  return new Promise((resolve) => {
    gateway.upstream().intercept = (_seen, response) => {
      resolve(response);
      return true;
    };
  });
}

/** The bounds are looked at each second. */
async function looked(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1_100));
}

const whole = { ...chat, stream: false };

// The first test, so that what is known of the model's answers is what happens here.
test("the queue tells the expected wait once it has seen how long answers take", async () => {
  await use("concurrency: 1", "    queue: { length: 0 }\n");
  let held = hold();
  const first = gateway.post("/api/chat", key, whole);
  let response = await held;
  leapMs += 7_000;
  response.writeHead(200, { "content-type": "application/json" }).end(last);
  await (await first).text();
  await untilIdle(gateway);
  held = hold();
  const second = gateway.post("/api/chat", key, whole);
  response = await held;
  const full = await gateway.post("/api/chat", key, whole);
  const seconds = Number(full.headers.get("x-sallyport-expected-wait"));
  expect([seconds >= 7 && seconds <= 9, full.headers.get("retry-after")]).toEqual([true, String(seconds)]);
  response.writeHead(200, { "content-type": "application/json" }).end(last);
  await (await second).text();
});

test("an answer in one piece is not bound by the first byte, but by the whole answer", async () => {
  await use("timeouts: { firstByte: 10s, silence: 10s, answer: 100s }");
  let held = hold();
  let answer = gateway.post("/api/chat", key, whole);
  let response = await held;
  leapMs += 50_000;
  await looked();
  response.writeHead(200, { "content-type": "application/json" }).end(last);
  expect((await answer).status).toBe(200);

  held = hold();
  answer = gateway.post("/api/chat", key, whole);
  response = await held;
  leapMs += 101_000;
  const late = await answer;
  expect([late.status, codeOf(await late.text())]).toEqual([504, "answer_timeout"]);
  expect(await gateway.lastOutcome()).toMatchObject({ outcome: "timed_out", is_estimated: true });
});

test("a stream that does not begin is bound by the first byte, one that pauses by silence, one that drips by the whole", async () => {
  await use("timeouts: { firstByte: 10s, silence: 20s, answer: 100s }");
  let held = hold();
  const unbegun = gateway.post("/api/chat", key, chat);
  await held;
  leapMs += 11_000;
  expect(codeOf(await (await unbegun).text())).toBe("upstream_timeout");

  held = hold();
  const paused = gateway.post("/api/chat", key, chat);
  let response = await held;
  response.writeHead(200, { "content-type": "application/x-ndjson" }).write(line);
  const begun = await paused;
  await looked();
  leapMs += 15_000;
  await looked();
  leapMs += 6_000;
  expect(codeOf((await begun.text()).trim().split("\n").at(-1)!)).toBe("upstream_timeout");

  held = hold();
  const dripping = gateway.post("/api/chat", key, chat);
  response = await held;
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  const drip = setInterval(() => response.write(" "), 10);
  const dripped = dripping.then((answer) => answer.text());
  for (let n = 0; n < 7; n++) {
    await looked();
    leapMs += 15_000;
  }
  expect(codeOf((await dripped).trim().split("\n").at(-1)!)).toBe("answer_timeout");
  clearInterval(drip);
}, 30_000);

test("`timeout` is the short form of first byte and silence", async () => {
  await use("timeout: 10s");
  const held = hold();
  const answer = gateway.post("/api/chat", key, whole);
  const response = await held;
  leapMs += 60_000;
  await looked();
  response.writeHead(200, { "content-type": "application/json" }).end(last);
  expect((await answer).status).toBe(200);
  void hold();
  const late = gateway.post("/api/chat", key, chat);
  await untilCounters(gateway, ({ upstreamRunning }) => upstreamRunning > 0);
  leapMs += 11_000;
  expect((await late).status).toBe(504);
});

test("a connection that is not made in time is told after its own bound", async () => {
  // A full backlog: the system takes no further connection and answers nothing.
  const server = createServer().listen({ port: 0, host: "127.0.0.1", backlog: 0 });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await gateway.apply(
    `environments:\n  dev:\n    upstreams: [{ url: "http://127.0.0.1:${port}", timeouts: { connect: 1s } }]\n`,
  );
  expect((await gateway.post("/api/chat", key, chat)).status).toBe(502);
});

describe("the queue", () => {
  test("tells the place and the wait when a request waited too long, and when it is full", async () => {
    await use("concurrency: 1", "    queue: { wait: 1s, length: 1 }\n");
    // One answer that took its time, so that the expected wait is known.
    let held = hold();
    const measured = gateway.post("/api/chat", key, whole);
    (await held).writeHead(200, { "content-type": "application/json" });
    leapMs += 7_000;
    gateway.upstream().intercept = undefined;
    // The first is let go by closing its model server's answer.
    void measured.then((answer) => answer.text()).catch(() => {});
    held = hold();
    const waiting = gateway.post("/api/chat", key, chat);
    await untilCounters(gateway, (counters) => counters.waiting === 1);
    const full = await gateway.post("/api/chat", key, chat);
    expect([full.status, codeOf(await full.text()), full.headers.get("x-sallyport-queue-position")]).toEqual([
      503,
      "queue_full",
      "2",
    ]);
    expect(Number(full.headers.get("retry-after"))).toBeGreaterThan(0);
    const late = await waiting;
    expect([late.status, codeOf(await late.text()), late.headers.get("x-sallyport-queue-position")]).toEqual([
      503,
      "queue_timeout",
      "1",
    ]);
    await gateway.admin("POST", `/v1/keys/${key.split("_")[2]}/suspend`);
    await untilIdle(gateway);
    ({ key } = await gateway.issue());
  });
});

describe("while a model thinks, an event stream", () => {
  beforeAll(() => use("timeouts: { firstByte: 10m }"));

  test("carries comments that the official libraries pass over", async () => {
    const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key, maxRetries: 0 });
    const anthropic = new Anthropic({ baseURL: gateway.url, apiKey: key, maxRetries: 0 });
    const asks = [
      async () => {
        let said = "";
        for await (const part of await openai.chat.completions.create({ ...chat, stream: true }))
          said += part.choices[0]?.delta.content ?? "";
        return said;
      },
      async () => (await anthropic.messages.stream({ ...chat, max_tokens: 50 }).finalMessage()).content.length > 0,
      async () => {
        let count = 0;
        for await (const _ of await openai.responses.create({ model: "llama3.2", input: "x", stream: true })) count++;
        return count > 0;
      },
    ];
    for (const ask of asks) {
      let go = (): void => {};
      const asked = new Promise<void>((resolve) => {
        gateway.upstream().intercept = async () => {
          await new Promise<void>((proceed) => {
            go = proceed;
            resolve();
          });
          return false;
        };
      });
      const said = ask();
      await asked;
      for (let n = 0; n < 2; n++) {
        await looked();
        leapMs += 16_000;
      }
      await looked();
      go();
      expect(await said).toBeTruthy();
    }
  }, 30_000);

  test("says an error that comes after its first comment as its dialect does", async () => {
    for (const [path, more] of [
      ["/v1/chat/completions", {}],
      ["/v1/messages", { max_tokens: 5 }],
    ] as const) {
      const held = hold();
      const answer = gateway.post(path, key, { ...chat, stream: true, ...more });
      const response = await held;
      leapMs += 16_000;
      const begun = await answer;
      expect([begun.status, begun.headers.get("x-accel-buffering"), begun.headers.get("content-type")]).toEqual([
        200,
        "no",
        "text/event-stream",
      ]);
      response.writeHead(500, { "content-type": "application/json" }).end('{"error":{"message":"boom"}}');
      const parts = (await begun.text()).trim().split("\n\n");
      expect(parts[0]).toBe(": keep-alive");
      expect(parts.at(-1)).toContain("boom");
      expect(await gateway.lastOutcome()).toMatchObject({ outcome: "upstream_error" });
    }
  });

  test("carries comments while its request waits in the queue, and says there how it ends", async () => {
    await use("concurrency: 1", "    queue: { wait: 1h }\n");
    const held = hold();
    const first = gateway.post("/api/chat", key, whole);
    const response = await held;
    const issued = await gateway.issue();
    const streams = [key, issued.key].map((one) =>
      gateway.post("/v1/chat/completions", one, { ...chat, stream: true }),
    );
    await untilCounters(gateway, ({ waiting }) => waiting === 2);
    leapMs += 16_000;
    const [served, revoked] = await Promise.all(streams);
    expect([served!.status, revoked!.status]).toEqual([200, 200]);
    await gateway.admin("POST", `/v1/keys/${issued.id}/revoke`);
    const ended = (await revoked!.text()).trim().split("\n\n");
    expect([ended[0], codeOf(ended.at(-1)!.slice("data: ".length))]).toEqual([": keep-alive", "key_revoked"]);
    expect(await gateway.lastOutcome()).toMatchObject({ outcome: "cut", code: "key_revoked", upstream: null });
    gateway.upstream().intercept = undefined;
    response.writeHead(200, { "content-type": "application/json" }).end(last);
    await (await first).text();
    const parts = (await served!.text()).trim().split("\n\n");
    expect([parts[0], parts.at(-1)]).toEqual([": keep-alive", "data: [DONE]"]);
    // The records of both that were served come after that of the one that was cut.
    while ((await gateway.lastOutcome())["outcome"] !== "served") await untilIdle(gateway);
    expect(await gateway.lastOutcome()).toMatchObject({ outcome: "served", upstream: "u1" });
  });

  test("has no comment in a dialect without them, nor in an answer in one piece", async () => {
    for (const [path, body] of [
      ["/api/chat", chat],
      ["/v1/chat/completions", chat],
    ] as const) {
      const held = hold();
      let isAnswered = false;
      const answer = gateway.post(path, key, body).then((said) => {
        isAnswered = true;
        return said;
      });
      const response = await held;
      leapMs += 16_000;
      await looked();
      expect(isAnswered).toBe(false);
      response.writeHead(200, { "content-type": "application/json" }).end(last);
      expect((await answer).status).toBe(200);
    }
  });
});

test("what a client aborts before the answer came is metered as an estimate, not as nothing", async () => {
  await use("concurrency: 9");
  const held = hold();
  const abort = new AbortController();
  const answer = fetch(`${gateway.url}/api/chat`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ ...whole, messages: [{ role: "user", content: "x".repeat(400) }] }),
    signal: abort.signal,
  });
  answer.catch(() => {});
  await held;
  leapMs += 20_000;
  abort.abort();
  await untilIdle(gateway);
  const { input_tokens: input, output_tokens: output, ...outcome } = await gateway.lastOutcome();
  expect(outcome).toMatchObject({ outcome: "client_gone", is_estimated: true });
  expect([Number(input) >= 100, Number(output) > 0]).toEqual([true, true]);
});
