/**
 * What is metered is what the model server counted: mixed requests in every dialect, whole and streamed, of which a tenth
 * is aborted by its caller. METERED_REQUESTS makes them more.
 */
import { setImmediate as turn } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ServerResponse } from "node:http";
import { startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";
import { untilIdle } from "./gateway-counters.ts";
import { seeded } from "../hostile/hostile-texts.ts";

const REQUESTS = Number(process.env["METERED_REQUESTS"] ?? 600);
const AT_ONCE = 16;

interface Counted {
  readonly input: number;
  readonly output: number;
}

let gateway: StartedGateway;
/** What the model server says of requests it answered whole. */
const reported: Counted[] = [];
/** The next answers of the model server, by the request's own text. */
const plans = new Map<string, Counted & { readonly isAborted: boolean }>();
let key: string;

beforeAll(async () => {
  gateway = await startGateway();
  ({ key } = await gateway.issue());
  gateway.upstream().intercept = (seen, response) => {
    const body = seen.body.toString();
    const name = /plan-(\d+)/.exec(body)?.[0];
    const plan = name === undefined ? undefined : plans.get(name);
    if (plan === undefined) return false;
    answer(seen.url, JSON.parse(body) as Record<string, unknown>, plan, response);
    return true;
  };
});
afterAll(() => gateway.stop());

test("the sums of metered tokens are the server's own, and what was aborted is marked as an estimate", async () => {
  const random = seeded(20261130);
  let next = 0;
  let aborted = 0;
  const work = async (): Promise<void> => {
    while (next < REQUESTS) {
      const n = next++;
      const name = `plan-${n}`;
      const isAborted = random() < 0.1;
      plans.set(name, { input: 1 + Math.floor(random() * 900), output: 1 + Math.floor(random() * 60), isAborted });
      const [path, body] = asked(n, name, random());
      if (isAborted) aborted++;
      await one(path, body, isAborted);
      plans.delete(name);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  await untilIdle(gateway);
  const outcomes = await readOutcomes();
  const sum = (rows: readonly Counted[]): Counted =>
    rows.reduce((all, { input, output }) => ({ input: all.input + input, output: all.output + output }), {
      input: 0,
      output: 0,
    });
  const exact = outcomes.filter(({ isEstimated }) => !isEstimated);
  expect([outcomes.length, exact.length]).toEqual([REQUESTS, REQUESTS - aborted]);
  expect(sum(exact)).toEqual(sum(reported));
  expect(aborted).toBeGreaterThan(REQUESTS / 20);
  // The report is the sum of the same records.
  const { rows } = await gateway.admin<{ rows: { requests: number; inputTokens: number; outputTokens: number }[] }>(
    "GET",
    "/v1/usage?by=environment",
  );
  const all = sum(outcomes);
  expect(rows.map(({ requests, inputTokens, outputTokens }) => [requests, inputTokens, outputTokens])).toEqual([
    [REQUESTS, all.input, all.output],
  ]);
}, 600_000);

async function one(path: string, body: object, isAborted: boolean): Promise<void> {
  const abort = new AbortController();
  const request = fetch(gateway.url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: abort.signal,
  });
  if (!isAborted) {
    const response = await request;
    await response.text();
    expect(response.status).toBe(200);
    return;
  }
  // Its answer has begun at the model server, and is never whole.
  const name = /plan-\d+/.exec(JSON.stringify(body))![0];
  while (!begun.has(name)) await turn();
  abort.abort();
  await request.then((response) => response.text()).catch(() => {});
}

const begun = new Set<string>();

/** Every dialect, whole and streamed. */
function asked(n: number, name: string, draw: number): [path: string, body: object] {
  const isStream = draw < 0.6;
  const messages = [{ role: "user", content: name }];
  const common = { model: "llama3.2", stream: isStream };
  switch (n % 6) {
    case 0:
      return ["/api/chat", { ...common, messages }];
    case 1:
      return ["/api/generate", { ...common, prompt: name }];
    case 2:
      return ["/v1/chat/completions", { ...common, messages }];
    case 3:
      return ["/v1/completions", { ...common, prompt: name }];
    case 4:
      return ["/v1/messages", { ...common, messages, max_tokens: 500 }];
    default:
      return ["/v1/responses", { ...common, input: name }];
  }
}

function answer(
  url: string,
  body: Record<string, unknown>,
  plan: Counted & { isAborted: boolean },
  response: ServerResponse,
): void {
  const { input, output, isAborted } = plan;
  const isStream = body["stream"] !== false;
  const [first, last] = isStream ? streamOf(url, input, output) : ["", wholeOf(url, input, output)];
  const type = !isStream ? "application/json" : url.startsWith("/api") ? "application/x-ndjson" : "text/event-stream";
  response.writeHead(200, { "content-type": type });
  if (first !== "") response.write(first);
  if (isAborted) {
    response.flushHeaders();
    begun.add(/plan-\d+/.exec(JSON.stringify(body))![0]);
    return;
  }
  reported.push({ input, output });
  response.end(last);
}

function wholeOf(url: string, input: number, output: number): string {
  if (url === "/api/chat") return native({ message: { role: "assistant", content: "a" } }, input, output);
  if (url === "/api/generate") return native({ response: "a" }, input, output);
  if (url === "/v1/messages")
    return JSON.stringify({
      id: "m",
      type: "message",
      role: "assistant",
      content: [{ type: "text", text: "a" }],
      model: "m",
      stop_reason: "end_turn",
      usage: { input_tokens: input, output_tokens: output },
    });
  if (url === "/v1/responses")
    return JSON.stringify({
      id: "r",
      object: "response",
      status: "completed",
      output: [],
      usage: { input_tokens: input, output_tokens: output, total_tokens: input + output },
    });
  const choices =
    url === "/v1/completions"
      ? [{ index: 0, text: "a", finish_reason: "stop" }]
      : [{ index: 0, message: { role: "assistant", content: "a" }, finish_reason: "stop" }];
  return JSON.stringify({ id: "c", object: "chat.completion", model: "m", choices, usage: usageOf(input, output) });
}

/** The first piece, and the rest with its end. */
function streamOf(url: string, input: number, output: number): [first: string, rest: string] {
  if (url === "/api/chat" || url === "/api/generate") {
    const part = url === "/api/chat" ? { message: { role: "assistant", content: "a" } } : { response: "a" };
    return [`${JSON.stringify({ model: "m", ...part, done: false })}\n`, `${native(part, input, output)}\n`];
  }
  const event = (data: object, name?: string): string =>
    `${name ? `event: ${name}\n` : ""}data: ${JSON.stringify(data)}\n\n`;
  if (url === "/v1/messages")
    return [
      event(
        {
          type: "message_start",
          message: {
            id: "m",
            type: "message",
            role: "assistant",
            content: [],
            model: "m",
            usage: { input_tokens: 1, output_tokens: 0 },
          },
        },
        "message_start",
      ),
      event(
        {
          type: "message_delta",
          delta: { stop_reason: "end_turn" },
          usage: { input_tokens: input, output_tokens: output },
        },
        "message_delta",
      ) + event({ type: "message_stop" }, "message_stop"),
    ];
  if (url === "/v1/responses")
    return [
      event({ type: "response.output_text.delta", delta: "a" }, "response.output_text.delta"),
      event(
        {
          type: "response.completed",
          response: {
            id: "r",
            object: "response",
            status: "completed",
            output: [],
            usage: { input_tokens: input, output_tokens: output, total_tokens: input + output },
          },
        },
        "response.completed",
      ),
    ];
  const object = url === "/v1/completions" ? "text_completion" : "chat.completion.chunk";
  const choice = url === "/v1/completions" ? { index: 0, text: "a" } : { index: 0, delta: { content: "a" } };
  return [
    event({ id: "c", object, model: "m", choices: [choice] }),
    event({ id: "c", object, model: "m", choices: [], usage: usageOf(input, output) }) + "data: [DONE]\n\n",
  ];
}

function native(part: object, input: number, output: number): string {
  return JSON.stringify({
    model: "m",
    ...part,
    done: true,
    done_reason: "stop",
    prompt_eval_count: input,
    eval_count: output,
  });
}

function usageOf(input: number, output: number): object {
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
}

async function readOutcomes(): Promise<(Counted & { isEstimated: boolean })[]> {
  const rows: (Counted & { isEstimated: boolean })[] = [];
  for (let after = 0; ;) {
    const { records } = await gateway.admin<{ records: { seq: number; fields: Record<string, unknown> }[] }>(
      "GET",
      `/v1/audit?type=request.outcome&order=oldest&limit=500&after=${after}`,
    );
    if (records.length === 0) return rows;
    for (const { seq, fields } of records) {
      after = seq;
      rows.push({
        input: Number(fields["input_tokens"] ?? 0),
        output: Number(fields["output_tokens"] ?? 0),
        isEstimated: fields["is_estimated"] === true,
      });
    }
  }
}
