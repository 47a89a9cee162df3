/** Ollama's NDJSON: tokens until a line with `done:true` and its counts, or progress until `status:"success"`. */
import { FramedAnswer, count, parseObject } from "./framed-answer.ts";

// Inside a JSON string a quote is always escaped, so these bytes stand only where they are really keys.
const TOKENS = /"done":true|"error":|signin_url/;
const PROGRESS = /"status":"success"|"error":|signin_url/;

export class NativeStream extends FramedAnswer {
  readonly #isProgress: boolean;

  constructor(isProgress: boolean) {
    super("\n");
    this.#isProgress = isProgress;
    this.interest = isProgress ? PROGRESS : TOKENS;
  }

  protected readonly interest: RegExp;

  protected frame(text: string): string {
    const line = parseObject(text);
    if (!line) return text;
    if (this.#isProgress ? line["status"] === "success" : line["done"] === true) {
      this.isWhole = true;
      if (!this.#isProgress) this.#readCounts(line);
    }
    if (line["error"] !== undefined) this.hasError = true;
    if (line["signin_url"] === undefined) return text;
    // Whoever opens that link attaches the server's key to his own account: it is nobody's business here.
    delete line["signin_url"];
    return `${JSON.stringify(line)}\n`;
  }

  #readCounts(line: Record<string, unknown>): void {
    if (line["prompt_eval_count"] === undefined && line["eval_count"] === undefined) return;
    this.usage = {
      inputTokens: count(line["prompt_eval_count"]),
      outputTokens: count(line["eval_count"]),
      isEstimated: false,
    };
  }
}
