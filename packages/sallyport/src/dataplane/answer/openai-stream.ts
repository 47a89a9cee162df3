/**
 * OpenAI's event stream for chat and text completions: data events until `data: [DONE]`. Usage comes in one extra chunk
 * with empty `choices`; where we asked for it and the caller did not, that chunk is taken out again, and from text
 * completions the zero `usage` that every chunk then carries.
 */
import { EventStream, readEvent, writeEvent } from "./event-stream.ts";
import { count, parseObject } from "./framed-answer.ts";
import { cleanErrorWords } from "./upstream-error.ts";

export class OpenaiStream extends EventStream {
  override readonly hasMark: boolean;
  readonly #hidesUsage: boolean;

  /** `hasMark`: false for what may end without `[DONE]` (transcriptions). */
  constructor(hidesUsage: boolean, hasMark = true) {
    super();
    this.#hidesUsage = hidesUsage;
    this.hasMark = hasMark;
  }

  protected readonly interest = /"usage"\s*:|\[DONE\]|"error"\s*:/;

  protected frame(text: string): string {
    const read = readEvent(text);
    if (!read) return text;
    if (read.data.startsWith("[DONE]")) {
      this.isWhole = true;
      return text;
    }
    const event = parseObject(read.data);
    if (!event) return text;
    if (event["error"] !== undefined && event["error"] !== null) {
      this.hasError = true;
      if (cleanErrorWords(event)) return writeEvent(read.name, event);
    }
    const usage = event["usage"];
    if (typeof usage !== "object" || usage === null) return text;
    const isUsageChunk = Array.isArray(event["choices"]) && event["choices"].length === 0;
    const said = usage as Record<string, unknown>;
    const inputTokens = count(said["prompt_tokens"]);
    const outputTokens = count(said["completion_tokens"]);
    // Some servers report it with the last choice; zeros beside a choice report nothing.
    if (isUsageChunk || inputTokens + outputTokens > 0) this.usage = { inputTokens, outputTokens, isEstimated: false };
    if (!this.#hidesUsage) return text;
    if (isUsageChunk) return "";
    delete event["usage"];
    return writeEvent(read.name, event);
  }
}
