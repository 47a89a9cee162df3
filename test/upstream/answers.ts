/** Answers in the shapes of the recorded exchanges, every dialect, streamed and whole. */
import type { ServerResponse } from "node:http";
import { send } from "./send.ts";

export type Work =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "object"; readonly body: object }
  | { readonly kind: "status"; readonly status: number }
  | { readonly kind: "tags"; readonly stubs: ReadonlySet<string> }
  | { readonly kind: "ps" | "v1-models" | "show" | "embeddings" | "audio" | "account" }
  | { readonly kind: "progress"; readonly streams: boolean }
  | {
      readonly kind: "chat" | "generate";
      readonly model: string;
      readonly streams: boolean;
      readonly isEmpty: boolean;
      readonly isUnload: boolean;
    }
  | { readonly kind: "embed" | "v1-embeddings"; readonly model: string }
  | {
      readonly kind: "v1-chat" | "v1-completions";
      readonly model: string;
      readonly streams: boolean;
      readonly hasUsage: boolean;
    }
  | { readonly kind: "v1-messages" | "v1-responses"; readonly model: string; readonly streams: boolean };

export const INSTALLED = ["llama3.2:latest", "qwen3:8b", "secret:latest", "tiny-bert:latest", "hf.co/ns/other:q4"];
const AT = "2026-11-23T04:23:30.080106223Z";
const COUNTS = {
  total_duration: 309791721,
  load_duration: 263481497,
  prompt_eval_count: 24,
  prompt_eval_duration: 25731000,
  eval_count: 3,
  eval_duration: 861000,
};
const details = {
  parent_model: "",
  format: "gguf",
  family: "llama",
  families: ["llama"],
  parameter_size: "111K",
  quantization_level: "F16",
};

export function answerWork(response: ServerResponse, work: Work, pieces: number): void {
  const words = Array.from({ length: pieces }, (_, i) => `w${i} `);
  switch (work.kind) {
    case "text":
      return send(response, 200, work.text, "text/plain; charset=utf-8");
    case "object":
      return send(response, 200, work.body);
    case "status":
      response.writeHead(work.status).end();
      return;
    case "tags":
      return send(response, 200, {
        models: [
          ...INSTALLED.map((name) => ({ name, model: name, modified_at: AT, size: 1, digest: "d91e", details })),
          ...[...work.stubs].map((name) => ({
            name, model: name, modified_at: AT, size: 300, digest: "5e1f", details: {}, remote_model: "gpt-oss:120b", remote_host: "https://ollama.com:443",
          })),
        ], // prettier-ignore
      });
    case "ps":
      return send(response, 200, {
        models: INSTALLED.map((name) => ({
          name,
          model: name,
          size: 1,
          digest: "d91e",
          details,
          expires_at: AT,
          size_vram: 0,
        })),
      });
    case "v1-models":
      return send(response, 200, {
        object: "list",
        data: INSTALLED.map((id) => ({ id, object: "model", created: 1795407514, owned_by: "library" })),
      });
    case "show":
      return send(response, 200, {
        modelfile: "FROM /usr/share/ollama/.ollama/models/blobs/sha256-6d72\nSYSTEM TOPSECRET", template: "TOPSECRET", system: "TOPSECRET",
        messages: [{ role: "user", content: "TOPSECRET" }], parameters: "num_predict 2", details, model_info: { "general.architecture": "llama" }, capabilities: ["completion"],
      }); // prettier-ignore
    case "account":
      return send(response, 401, { error: "unauthorized", signin_url: "https://ollama.com/connect?name=host&key=abc" });
    case "audio":
      return send(response, 200, { text: "hello" });
    case "embeddings":
      return send(response, 200, { embedding: [0.25, -0.5] });
    case "embed":
      return send(response, 200, {
        model: work.model,
        embeddings: [[0.25, -0.5]],
        total_duration: 1,
        load_duration: 1,
        prompt_eval_count: 7,
      });
    case "v1-embeddings":
      return send(response, 200, {
        object: "list",
        data: [{ object: "embedding", embedding: [0.25, -0.5], index: 0 }],
        model: work.model,
        usage: { prompt_tokens: 7, total_tokens: 7 },
      });
    case "progress":
      if (!work.streams) return send(response, 200, { status: "success" });
      return lines(response, [{ status: "pulling manifest" }, { status: "success" }]);
    case "chat":
    case "generate":
      return native(response, work, words);
    case "v1-chat":
    case "v1-completions":
      return openai(response, work, words);
    case "v1-messages":
      return anthropic(response, work, words);
    case "v1-responses":
      return responses(response, work, words);
  }
}

function lines(response: ServerResponse, rows: readonly object[]): void {
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  for (const row of rows) response.write(`${JSON.stringify(row)}\n`);
  response.end();
}

function events(
  response: ServerResponse,
  rows: readonly (readonly [name: string | null, body: object | string])[],
): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const [name, body] of rows) {
    response.write(
      `${name === null ? "" : `event: ${name}\n`}data: ${typeof body === "string" ? body : JSON.stringify(body)}\n\n`,
    );
  }
  response.end();
}

function native(
  response: ServerResponse,
  work: Extract<Work, { kind: "chat" | "generate" }>,
  words: readonly string[],
): void {
  const { model, isEmpty, isUnload } = work;
  const said = (text: string): object =>
    work.kind === "chat" ? { message: { role: "assistant", content: text } } : { response: text };
  const head = { model, created_at: AT };
  const context = work.kind === "generate" ? { context: [128006, 9125, 128007] } : {};
  if (isEmpty)
    return send(response, 200, { ...head, ...said(""), done: true, done_reason: isUnload ? "unload" : "load" });
  if (!work.streams)
    return send(response, 200, {
      ...head,
      ...said(words.join("")),
      done: true,
      done_reason: "stop",
      ...context,
      ...COUNTS,
    });
  lines(response, [
    ...words.map((word) => ({ ...head, ...said(word), done: false })),
    { ...head, ...said(""), done: true, done_reason: "stop", ...context, ...COUNTS },
  ]);
}

function openai(
  response: ServerResponse,
  work: Extract<Work, { kind: "v1-chat" | "v1-completions" }>,
  words: readonly string[],
): void {
  const isChat = work.kind === "v1-chat";
  const usage = { prompt_tokens: 24, completion_tokens: 3, total_tokens: 27 };
  const zero = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
  const head = {
    id: "chatcmpl-158",
    object: isChat ? "chat.completion.chunk" : "text_completion",
    created: 1795407811,
    model: work.model,
    system_fingerprint: "fp_ollama",
  };
  if (!work.streams) {
    const choice = isChat ? { message: { role: "assistant", content: words.join("") } } : { text: words.join("") };
    return send(response, 200, {
      ...head,
      object: isChat ? "chat.completion" : "text_completion",
      choices: [{ index: 0, ...choice, finish_reason: "stop" }],
      usage,
    });
  }
  const each = !isChat && work.hasUsage ? { usage: zero } : {};
  const choice = (word: string, finish: string | null): object => ({
    index: 0,
    ...(isChat ? { delta: { role: "assistant", content: word } } : { text: word }),
    finish_reason: finish,
  });
  events(response, [
    ...words.map((word) => [null, { ...head, choices: [choice(word, null)], ...each }] as const),
    [null, { ...head, choices: [choice("", "stop")], ...each }],
    ...(work.hasUsage ? [[null, { ...head, choices: [], usage }] as const] : []),
    [null, "[DONE]"],
  ]);
}

function anthropic(
  response: ServerResponse,
  work: { model: string; streams: boolean },
  words: readonly string[],
): void {
  const head = { id: "msg_c46f31a9fea46fa721fb0522", type: "message", role: "assistant", model: work.model };
  if (!work.streams) {
    return send(response, 200, {
      ...head,
      content: [{ type: "text", text: words.join("") }],
      stop_reason: "end_turn",
      usage: { input_tokens: 24, output_tokens: 3 },
    });
  }
  events(response, [
    [
      "message_start",
      { type: "message_start", message: { ...head, content: [], usage: { input_tokens: 2, output_tokens: 0 } } },
    ],
    ["content_block_start", { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }],
    ...words.map(
      (text) =>
        [
          "content_block_delta",
          { type: "content_block_delta", index: 0, delta: { type: "text_delta", text } },
        ] as const,
    ),
    ["content_block_stop", { type: "content_block_stop", index: 0 }],
    [
      "message_delta",
      { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { input_tokens: 24, output_tokens: 3 } },
    ],
    ["message_stop", { type: "message_stop" }],
  ]);
}

function responses(
  response: ServerResponse,
  work: { model: string; streams: boolean },
  words: readonly string[],
): void {
  const usage = {
    input_tokens: 24,
    output_tokens: 3,
    total_tokens: 27,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens_details: { reasoning_tokens: 0 },
  };
  const item = {
    id: "msg_670978",
    type: "message",
    status: "completed",
    role: "assistant",
    content: [{ type: "output_text", text: words.join(""), annotations: [] }],
  };
  const whole = {
    id: "resp_352383",
    object: "response",
    created_at: 1795407811,
    status: "completed",
    model: work.model,
    output: [item],
    usage,
    metadata: {},
  };
  if (!work.streams) return send(response, 200, whole);
  events(response, [
    [
      "response.created",
      {
        type: "response.created",
        sequence_number: 0,
        response: { ...whole, status: "in_progress", output: [], usage: null },
      },
    ],
    ...words.map(
      (delta, i) =>
        [
          "response.output_text.delta",
          {
            type: "response.output_text.delta",
            sequence_number: i + 1,
            item_id: item.id,
            output_index: 0,
            content_index: 0,
            delta,
          },
        ] as const,
    ),
    ["response.completed", { type: "response.completed", sequence_number: 9, response: whole }],
  ]);
}
