/**
 * How a stream ends because a limit was reached: as its dialect ends an answer that became too long. Clients know that
 * ending: what came before it is a good answer, cut short.
 */
import type { Metering } from "../wire/endpoint.ts";

export interface CutAnswer {
  readonly requestId: string;
  /** As the caller may know it. */
  readonly model: string;
  readonly path: string;
  readonly nowMs: number;
  readonly outputTokens: number;
  /** Of Anthropic's stream: the content block that is open; null without one. */
  readonly openBlock: number | null;
}

/** Undefined where the dialect has no such ending: then the stream ends with an error. */
export function lengthEnding(metering: Metering, isEventStream: boolean, cut: CutAnswer): string | undefined {
  if (metering === "native" && !isEventStream) return nativeEnding(cut);
  if (!isEventStream) return undefined;
  switch (metering) {
    case "openai-chat":
      return openaiEnding("chat.completion.chunk", cut, { index: 0, delta: {}, finish_reason: "length" });
    case "openai-completions":
      return openaiEnding("text_completion", cut, { index: 0, text: "", logprobs: null, finish_reason: "length" });
    case "openai-responses":
      return event("response.incomplete", {
        type: "response.incomplete",
        response: {
          id: `resp_${cut.requestId}`,
          object: "response",
          created_at: Math.floor(cut.nowMs / 1_000),
          status: "incomplete",
          incomplete_details: { reason: "max_output_tokens" },
          model: cut.model,
          output: [],
        },
      });
    case "anthropic":
      return anthropicEnding(cut);
    default:
      return undefined;
  }
}

function nativeEnding({ model, path, nowMs, outputTokens }: CutAnswer): string {
  const content = path.endsWith("/generate") ? { response: "" } : { message: { role: "assistant", content: "" } };
  const at = new Date(nowMs).toISOString();
  return `${JSON.stringify({ model, created_at: at, ...content, done: true, done_reason: "length", eval_count: outputTokens })}\n`;
}

function openaiEnding(object: string, { requestId, model, nowMs }: CutAnswer, choice: object): string {
  const created = Math.floor(nowMs / 1_000);
  const chunk = { id: `chatcmpl-${requestId}`, object, created, model, choices: [choice] };
  return `data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`;
}

function anthropicEnding({ openBlock, outputTokens }: CutAnswer): string {
  const stop = openBlock === null ? "" : event("content_block_stop", { type: "content_block_stop", index: openBlock });
  return (
    stop +
    event("message_delta", {
      type: "message_delta",
      delta: { stop_reason: "max_tokens", stop_sequence: null },
      usage: { output_tokens: outputTokens },
    }) +
    event("message_stop", { type: "message_stop" })
  );
}

function event(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
