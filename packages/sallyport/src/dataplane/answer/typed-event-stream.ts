/** Event streams whose events carry a `type`: Anthropic's messages and OpenAI's responses. */
import { FramedAnswer, count, parseObject } from "./framed-answer.ts";

/** `message_start` and `message_delta` carry usage (the last one counts), `message_stop` ends it. */
export class AnthropicStream extends FramedAnswer {
  constructor() {
    super("\n\n");
  }

  protected readonly interest = /"usage":|message_stop|"type":"error"/;

  protected frame(text: string): string {
    const event = eventData(text);
    if (!event) return text;
    if (event["type"] === "message_stop") this.isWhole = true;
    if (event["type"] === "error") this.hasError = true;
    // The input count of message_start is an estimate of the server's; message_delta has the real one.
    if (event["type"] === "message_delta") this.usage = readUsage(event["usage"]) ?? this.usage;
    return text;
  }
}

/** Usage stands in `response.completed`, which also ends it; `response.failed` and `error` are errors. */
export class ResponsesStream extends FramedAnswer {
  constructor() {
    super("\n\n");
  }

  protected readonly interest = /"response\.(?:completed|incomplete|failed)|"type":"error"/;

  protected frame(text: string): string {
    const type = /^event: (response\.completed|response\.incomplete|response\.failed|error)$/m.exec(text)?.[1];
    if (type === undefined) return text;
    if (type === "response.failed" || type === "error") {
      this.hasError = true;
      return text;
    }
    this.isWhole = true;
    const response = eventData(text)?.["response"];
    if (typeof response === "object" && response !== null) {
      this.usage = readUsage((response as Record<string, unknown>)["usage"]) ?? this.usage;
    }
    return text;
  }
}

function eventData(text: string): Record<string, unknown> | undefined {
  const data = /^data: (.*)$/m.exec(text)?.[1];
  return data === undefined ? undefined : parseObject(data);
}

function readUsage(usage: unknown): { inputTokens: number; outputTokens: number; isEstimated: false } | null {
  if (typeof usage !== "object" || usage === null) return null;
  const said = usage as Record<string, unknown>;
  return { inputTokens: count(said["input_tokens"]), outputTokens: count(said["output_tokens"]), isEstimated: false };
}
