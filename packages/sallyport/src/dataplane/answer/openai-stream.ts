/**
 * OpenAI's event stream for chat and text completions: data events until `data: [DONE]`. Usage comes in one extra chunk
 * with empty `choices`; where we asked for it and the caller did not, that chunk is taken out again, and from text
 * completions the zero `usage` that every chunk then carries.
 */
import { FramedAnswer, count, parseObject } from "./framed-answer.ts";

export class OpenaiStream extends FramedAnswer {
  readonly #hidesUsage: boolean;

  constructor(hidesUsage: boolean) {
    super("\n\n");
    this.#hidesUsage = hidesUsage;
  }

  protected readonly interest = /"usage":|\[DONE\]|"error":/;

  protected frame(text: string): string {
    if (!text.startsWith("data: ")) return text;
    if (text.startsWith("data: [DONE]")) {
      this.isWhole = true;
      return text;
    }
    const event = parseObject(text.slice(6));
    if (!event) return text;
    if (event["error"] !== undefined && event["error"] !== null) this.hasError = true;
    const usage = event["usage"];
    if (typeof usage !== "object" || usage === null) return text;
    const isUsageChunk = Array.isArray(event["choices"]) && event["choices"].length === 0;
    if (isUsageChunk) {
      const said = usage as Record<string, unknown>;
      this.usage = {
        inputTokens: count(said["prompt_tokens"]),
        outputTokens: count(said["completion_tokens"]),
        isEstimated: false,
      };
    }
    if (!this.#hidesUsage) return text;
    if (isUsageChunk) return "";
    delete event["usage"];
    return `data: ${JSON.stringify(event)}\n\n`;
  }
}
