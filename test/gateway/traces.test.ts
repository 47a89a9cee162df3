/** A trace per request, behind one switch, as an OTLP receiver sees it. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { OtlpReceiver, plainAttributes } from "./otlp-receiver.ts";
import type { ReceivedSpan } from "./otlp-receiver.ts";
import { startGateway } from "./started-gateway.ts";
import type { IssuedKey, StartedGateway } from "./started-gateway.ts";

const receiver = new OtlpReceiver();
let gateway: StartedGateway;
let issued: IssuedKey;
let isStopped: boolean;
const chat = { model: "llama3.2", messages: [{ role: "user", content: "x" }] };
const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const callersSpan = "00f067aa0ba902b7";
let url: string;

beforeAll(async () => {
  url = await receiver.listen();
});
afterAll(() => receiver.close());

async function start(isTraced: boolean): Promise<void> {
  receiver.bodies.length = 0;
  gateway = await startGateway(isTraced ? { settings: { tracing: { url: `${url}/v1/traces` } } } : {});
  issued = await gateway.issue();
  isStopped = false;
}

/** What was traced is delivered at the latest when the gateway stops. */
async function spansAfterStop(): Promise<ReceivedSpan[]> {
  isStopped = true;
  await gateway.stop();
  return receiver.spans;
}

afterEach(async () => {
  if (!isStopped) await gateway.stop();
});

async function ask(
  path: string,
  body: object,
  headers: Record<string, string> = {},
  key = issued.key,
): Promise<number> {
  const answer = await gateway.post(path, key, body, headers);
  await answer.text();
  return answer.status;
}

function upstreamTraceparents(): (string | string[] | undefined)[] {
  return gateway.upstream().seen.map(({ headers }) => headers["traceparent"]);
}

describe("switched on", () => {
  beforeEach(() => start(true));

  test("a served request is one span, with the conventions' names and the exchange's own times", async () => {
    const before = Date.now();
    expect(await ask("/api/chat", chat)).toBe(200);
    const [forwarded] = upstreamTraceparents();
    const after = Date.now();
    const spans = await spansAfterStop();
    expect(spans).toHaveLength(1);
    const span = spans[0]!;
    expect(span).toMatchObject({ name: "chat registry.ollama.ai/library/llama3.2:latest", kind: 2, status: {} });
    expect(span.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(span.spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(span.parentSpanId).toBeUndefined();
    expect(forwarded).toBe(`00-${span.traceId}-${span.spanId}-01`);
    const [from, first, to] = [span.startTimeUnixNano, span.events[0]!.timeUnixNano, span.endTimeUnixNano].map(BigInt);
    expect([from! <= first!, first! <= to! + 1_000_000n]).toEqual([true, true]);
    expect([from! >= BigInt(before) * 1_000_000n, to! <= BigInt(after + 1) * 1_000_000n]).toEqual([true, true]);
    expect(plainAttributes(span.attributes)).toEqual({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "ollama",
      "gen_ai.request.model": "registry.ollama.ai/library/llama3.2:latest",
      "gen_ai.usage.input_tokens": 24,
      "gen_ai.usage.output_tokens": 3,
      "http.request.method": "POST",
      "http.route": "/api/chat",
      "http.response.status_code": 200,
      "sallyport.request.id": expect.stringMatching(/^req_/) as string,
      "sallyport.environment": "dev",
      "sallyport.key.id": issued.id,
      "sallyport.endpoint": "ollama.chat",
      "sallyport.dialect": "ollama",
      "sallyport.upstream": "u1",
      "sallyport.outcome": "served",
      "sallyport.stream": true,
      "sallyport.usage.is_estimated": false,
      "sallyport.sent_bytes": expect.any(Number) as number,
    });
    expect(receiver.targets.at(-1)).toBe("POST /v1/traces");
    expect(receiver.headers.at(-1)).toMatchObject({ "content-type": "application/json", "user-agent": "sallyport" });
    expect(plainAttributes(receiver.exports[0]!.resourceSpans[0]!.resource.attributes)).toMatchObject({
      "service.name": "sallyport",
    });
  });

  test("a caller's trace is gone on with; ours, not the caller's, is the span the upstream hears of", async () => {
    await ask("/v1/chat/completions", chat, { traceparent: `00-${traceId}-${callersSpan}-01`, tracestate: "a=b" });
    const [forwarded] = upstreamTraceparents();
    const { tracestate } = gateway.upstream().seen[0]!.headers;
    const [span] = await spansAfterStop();
    expect(span).toMatchObject({ traceId, parentSpanId: callersSpan });
    expect(span!.spanId).not.toBe(callersSpan);
    expect([forwarded, tracestate]).toEqual([`00-${traceId}-${span!.spanId}-01`, undefined]);
  });

  test("a trace that the caller does not keep is not kept here", async () => {
    await ask("/api/chat", chat, { traceparent: `00-${traceId}-${callersSpan}-00` });
    expect(upstreamTraceparents()[0]).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
    expect(await spansAfterStop()).toEqual([]);
  });

  test.each([`00-${traceId}-${callersSpan}-01-x`, "x".repeat(4_000), `00-${"0".repeat(32)}-${callersSpan}-01`])(
    "a malformed traceparent is none: %s",
    async (traceparent) => {
      expect(await ask("/api/chat", chat, { traceparent })).toBe(200);
      const [span] = await spansAfterStop();
      expect(span!.parentSpanId).toBeUndefined();
      expect(span!.traceId).not.toBe(traceId);
    },
  );

  test("refusals and broken upstreams say why; who has no key, and what is answered locally, makes no span", async () => {
    expect(await ask("/api/chat", { ...chat, model: "other" })).toBe(403);
    gateway.upstream().intercept = (_seen, response) => !!response.writeHead(500).end("{}");
    expect(await ask("/api/generate", { model: "llama3.2", prompt: "x" })).toBe(502);
    expect(await ask("/api/chat", chat, {}, "nonsense")).toBe(401);
    await (await fetch(`${gateway.url}/healthz`)).text();
    const spans = await spansAfterStop();
    const told = spans.map(({ name, status, attributes }) => {
      const { [`error.type`]: why, "sallyport.outcome": outcome } = plainAttributes(attributes);
      return [name, status.code, why, outcome];
    });
    expect(told).toEqual([
      ["chat registry.ollama.ai/library/other:latest", undefined, "model_denied", "refused"],
      ["text_completion registry.ollama.ai/library/llama3.2:latest", 2, "upstream_error", "upstream_error"],
    ]);
  });

  test("the metrics tell what waits, what was delivered and what was dropped", async () => {
    await ask("/api/chat", chat);
    const answer = await fetch(`${gateway.gateway.adminUrl}/metrics`, {
      headers: { authorization: `Bearer ${gateway.adminKey}` },
    });
    const text = await answer.text();
    expect(text).toContain("\nsallyport_trace_spans_queued 1\n");
    expect(text).toContain("\nsallyport_trace_spans_exported_total 0\n");
    expect(text).toContain('\nsallyport_trace_spans_dropped_total{reason="queue_full"} 0\n');
  });
});

test("a receiver that is not there harms no request and holds up no stop for long", async () => {
  const gone = new OtlpReceiver();
  const nowhere = await gone.listen();
  await gone.close();
  gateway = await startGateway({ settings: { tracing: { url: `${nowhere}/v1/traces` } } });
  issued = await gateway.issue();
  isStopped = false;
  expect(await ask("/api/chat", chat)).toBe(200);
  await spansAfterStop();
});

test("switched off, nothing is sent and no traceparent goes up", async () => {
  await start(false);
  expect(await ask("/api/chat", chat, { traceparent: `00-${traceId}-${callersSpan}-01` })).toBe(200);
  expect(upstreamTraceparents()).toEqual([undefined]);
  expect(await spansAfterStop()).toEqual([]);
});
