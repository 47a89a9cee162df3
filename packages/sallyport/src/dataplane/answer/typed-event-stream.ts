/** Event streams whose events carry a `type`: Anthropic's messages and OpenAI's responses. */
import { EventStream, readEvent, writeEvent } from "./event-stream.ts";
import { count, parseObject } from "./framed-answer.ts";
import { cleanErrorWords } from "./upstream-error.ts";

interface TypedEvent {
  readonly type: string;
  readonly name: string;
  readonly data: Record<string, unknown> | undefined;
}

/** `message_start` and `message_delta` carry usage (the last one counts), `message_stop` ends it. */
export class AnthropicStream extends EventStream {
  protected readonly interest = /"usage"\s*:|message_stop|\berror\b/;

  protected frame(text: string): string {
    const event = typedEvent(text);
    if (!event) return text;
    const { type, data, name } = event;
    if (type === "message_stop") this.isWhole = true;
    // The input count of message_start is an estimate of the server's; message_delta has the real one.
    if (type === "message_delta") this.usage = readUsage(data?.["usage"]) ?? this.usage;
    if (type !== "error") return text;
    this.hasError = true;
    return data && cleanErrorWords(data) ? writeEvent(name, data) : text;
  }
}

/** Usage stands in `response.completed`, which also ends it; `response.failed` and `error` are errors. */
export class ResponsesStream extends EventStream {
  protected readonly interest = /response\.(?:completed|incomplete|failed)|\berror\b/;

  protected frame(text: string): string {
    const event = typedEvent(text);
    if (!event) return text;
    const { type, data, name } = event;
    const response = data?.["response"] as Record<string, unknown> | null | undefined;
    const isObject = typeof response === "object" && response !== null;
    if (type === "response.failed" || type === "error") {
      this.hasError = true;
      const isCleaned = data !== undefined && cleanErrorWords(data);
      const isInnerCleaned = isObject && cleanErrorWords(response);
      return isCleaned || isInnerCleaned ? writeEvent(name, data!) : text;
    }
    if (type !== "response.completed" && type !== "response.incomplete") return text;
    this.isWhole = true;
    if (isObject) this.usage = readUsage(response["usage"]) ?? this.usage;
    return text;
  }
}

/** By the type in its data, else by the event's name. */
function typedEvent(text: string): TypedEvent | undefined {
  const event = readEvent(text);
  if (!event) return undefined;
  const data = parseObject(event.data);
  const type = data?.["type"];
  return { type: typeof type === "string" ? type : event.name, name: event.name, data };
}

function readUsage(usage: unknown): { inputTokens: number; outputTokens: number; isEstimated: false } | null {
  if (typeof usage !== "object" || usage === null) return null;
  const said = usage as Record<string, unknown>;
  return { inputTokens: count(said["input_tokens"]), outputTokens: count(said["output_tokens"]), isEstimated: false };
}
