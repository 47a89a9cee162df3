/** What the demo model server says, in each dialect's form, streamed and whole. */
export const PRACTICE_MODEL = "practice";

/** The fields it looks at. */
export interface Asked {
  readonly model?: string;
  readonly stream?: boolean;
  readonly messages?: readonly unknown[];
  readonly prompt?: string;
  readonly input?: unknown;
  readonly encoding_format?: string;
}

const WORDS = [
  "[practice] ", "This is ", "Sallyport's ", "practice ", "server, ", "not a model. ", "Your key ", "works; ", "start Ollama ", "and run ", "it again.",
]; // prettier-ignore
const TEXT = WORDS.join("");
const MADE_AT = "2026-01-01T00:00:00Z";
const counts = {
  total_duration: 1_000_000,
  load_duration: 1_000,
  prompt_eval_count: 8,
  prompt_eval_duration: 1_000,
  eval_count: WORDS.length,
  eval_duration: 1_000,
};
const details = {
  parent_model: "",
  format: "practice",
  family: "practice",
  families: ["practice"],
  parameter_size: "0",
  quantization_level: "none",
};
const listed = {
  name: `${PRACTICE_MODEL}:latest`,
  model: `${PRACTICE_MODEL}:latest`,
  modified_at: MADE_AT,
  size: 0,
  digest: "0".repeat(64),
  details,
};

/** Answers without a body to look at. */
export const listings: Readonly<Record<string, object>> = {
  "/api/tags": { models: [listed] },
  "/api/ps": { models: [{ ...listed, expires_at: MADE_AT, size_vram: 0 }] },
  "/api/version": { version: "0.0.0-practice" },
  "/api/status": { cloud: { disabled: true, source: "config" } },
  "/v1/models": { object: "list", data: [{ id: listed.name, object: "model", created: 0, owned_by: "practice" }] },
};

export function shown(path: string): object {
  if (path !== "/api/show") return { id: listed.name, object: "model", created: 0, owned_by: "practice" };
  return {
    modelfile: "",
    template: "",
    parameters: "",
    details,
    model_info: {},
    capabilities: ["completion", "embedding"],
    modified_at: MADE_AT,
  };
}

const line = (value: object): string => `${JSON.stringify(value)}\n`;
const event = (value: object | string, name?: string): string =>
  `${name === undefined ? "" : `event: ${name}\n`}data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`;

export function streamOf(
  path: string,
  asked: Asked,
): { readonly type: string; readonly pieces: readonly string[] } | undefined {
  const { model = PRACTICE_MODEL } = asked;
  const native = (said: (text: string) => object): { type: string; pieces: string[] } => ({
    type: "application/x-ndjson",
    pieces: [
      ...WORDS.map((word) => line({ model, created_at: MADE_AT, ...said(word), done: false })),
      line({ model, created_at: MADE_AT, ...said(""), done: true, done_reason: "stop", ...counts }),
    ],
  });
  const isLoad = !asked.prompt && !asked.messages?.length;
  const sse = (pieces: readonly string[]): { type: string; pieces: readonly string[] } => ({
    type: "text/event-stream",
    pieces,
  });
  switch (path) {
    case "/api/chat":
      return isLoad ? undefined : native((content) => ({ message: { role: "assistant", content } }));
    case "/api/generate":
      return isLoad ? undefined : native((response) => ({ response }));
    case "/v1/chat/completions":
    case "/v1/completions":
      return sse(openaiStream(path === "/v1/completions", model));
    case "/v1/messages":
      return sse(anthropicStream(model));
    case "/v1/responses":
      return sse(responsesStream(model));
    default:
      return undefined;
  }
}

function openaiStream(isText: boolean, model: string): string[] {
  const head = {
    id: "chatcmpl-practice",
    object: isText ? "text_completion" : "chat.completion.chunk",
    created: 0,
    model,
  };
  const choice = (text: string, finish_reason: string | null): object => ({
    index: 0,
    ...(isText ? { text } : { delta: { role: "assistant", content: text } }),
    finish_reason,
  });
  const usage = { prompt_tokens: 8, completion_tokens: WORDS.length, total_tokens: 8 + WORDS.length };
  return [
    ...WORDS.map((word) => event({ ...head, choices: [choice(word, null)] })),
    event({ ...head, choices: [choice("", "stop")] }),
    event({ ...head, choices: [], usage }),
    event("[DONE]"),
  ];
}

function anthropicStream(model: string): string[] {
  const message = {
    id: "msg_practice",
    type: "message",
    role: "assistant",
    model,
    content: [],
    usage: { input_tokens: 8, output_tokens: 0 },
  };
  const delta = (text: string): object => ({
    type: "content_block_delta",
    index: 0,
    delta: { type: "text_delta", text },
  });
  return [
    event({ type: "message_start", message }, "message_start"),
    event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }, "content_block_start"),
    ...WORDS.map((word) => event(delta(word), "content_block_delta")),
    event({ type: "content_block_stop", index: 0 }, "content_block_stop"),
    event(
      {
        type: "message_delta",
        delta: { stop_reason: "end_turn" },
        usage: { input_tokens: 8, output_tokens: WORDS.length },
      },
      "message_delta",
    ),
    event({ type: "message_stop" }, "message_stop"),
  ];
}

/** With the events of the output item and its part: the libraries add a delta to the item that was begun before it. */
function responsesStream(model: string): string[] {
  const whole = responseOf(model);
  const begun = { ...whole, status: "in_progress", output: [], usage: null };
  const part = OUTPUT_TEXT;
  const item = { ...OUTPUT_ITEM, content: [part] };
  const of = { item_id: item.id, output_index: 0, content_index: 0 };
  const events = [
    { type: "response.created", response: begun },
    { type: "response.in_progress", response: begun },
    { type: "response.output_item.added", output_index: 0, item: { ...item, status: "in_progress", content: [] } },
    { type: "response.content_part.added", ...of, part: { ...part, text: "" } },
    ...WORDS.map((delta) => ({ type: "response.output_text.delta", ...of, delta })),
    { type: "response.output_text.done", ...of, text: TEXT },
    { type: "response.content_part.done", ...of, part },
    { type: "response.output_item.done", output_index: 0, item },
    { type: "response.completed", response: whole },
  ];
  return events.map((each, at) => event({ ...each, sequence_number: at }, each.type));
}

const OUTPUT_TEXT = { type: "output_text", text: TEXT, annotations: [] };
const OUTPUT_ITEM = { id: "msg_practice", type: "message", status: "completed", role: "assistant" };

function responseOf(model: string): object {
  return {
    id: "resp_practice", object: "response", created_at: 0, status: "completed", model,
    output: [{ ...OUTPUT_ITEM, content: [OUTPUT_TEXT] }],
    usage: { input_tokens: 8, output_tokens: WORDS.length, total_tokens: 8 + WORDS.length },
  }; // prettier-ignore
}

const VECTOR = [0.25, -0.5, 0.125];

/** As 32-bit floats: what OpenAI's library asks for by itself. */
function base64Of(vector: readonly number[]): string {
  return Buffer.from(Float32Array.from(vector).buffer).toString("base64");
}

/** The complete response; undefined on routes that the demo model server does not have. */
export function wholeOf(path: string, asked: Asked): object | undefined {
  const { model = PRACTICE_MODEL } = asked;
  const head = { model, created_at: MADE_AT, done: true };
  const isLoad = !asked.prompt && !asked.messages?.length;
  const usage = { prompt_tokens: 8, completion_tokens: WORDS.length, total_tokens: 8 + WORDS.length };
  switch (path) {
    case "/api/chat":
      return {
        ...head,
        message: { role: "assistant", content: isLoad ? "" : TEXT },
        done_reason: isLoad ? "load" : "stop",
        ...(isLoad ? {} : counts),
      };
    case "/api/generate":
      return {
        ...head,
        response: isLoad ? "" : TEXT,
        done_reason: isLoad ? "load" : "stop",
        ...(isLoad ? {} : counts),
      };
    case "/api/embed":
      return {
        model,
        embeddings: Array.isArray(asked.input) ? asked.input.map(() => VECTOR) : [VECTOR],
        prompt_eval_count: 8,
      };
    case "/api/embeddings":
      return { embedding: VECTOR };
    case "/v1/chat/completions":
      return {
        id: "chatcmpl-practice",
        object: "chat.completion",
        created: 0,
        model,
        choices: [{ index: 0, message: { role: "assistant", content: TEXT }, finish_reason: "stop" }],
        usage,
      };
    case "/v1/completions":
      return {
        id: "cmpl-practice",
        object: "text_completion",
        created: 0,
        model,
        choices: [{ index: 0, text: TEXT, finish_reason: "stop" }],
        usage,
      };
    case "/v1/embeddings": {
      const inputs: readonly unknown[] = Array.isArray(asked.input) ? asked.input : [asked.input];
      const embedding = asked.encoding_format === "base64" ? base64Of(VECTOR) : VECTOR;
      return {
        object: "list",
        data: inputs.map((_, index) => ({ object: "embedding", embedding, index })),
        model,
        usage: { prompt_tokens: 8, total_tokens: 8 },
      };
    }
    case "/v1/messages":
      return {
        id: "msg_practice",
        type: "message",
        role: "assistant",
        model,
        content: [{ type: "text", text: TEXT }],
        stop_reason: "end_turn",
        usage: { input_tokens: 8, output_tokens: WORDS.length },
      };
    case "/v1/responses":
      return responseOf(model);
    case "/v1/audio/transcriptions":
      return { text: TEXT };
    default:
      return undefined;
  }
}
