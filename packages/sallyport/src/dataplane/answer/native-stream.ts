/** Ollama's NDJSON: tokens until a line with `done:true` and its counts, or progress until `status:"success"`. */
import { FramedAnswer, count, parseObject } from "./framed-answer.ts";
import { cleanErrorWords } from "./upstream-error.ts";

const LF = 0x0a;

// Inside a JSON string a quote is always escaped, so these bytes stand only where they are really keys.
const TOKENS = /"done"\s*:\s*true|"error"\s*:|signin_url/;
const PROGRESS = /"status"\s*:\s*"success"|"error"\s*:|signin_url/;

export class NativeStream extends FramedAnswer {
  readonly #isProgress: boolean;

  constructor(isProgress: boolean) {
    super();
    this.#isProgress = isProgress;
    this.interest = isProgress ? PROGRESS : TOKENS;
  }

  protected readonly interest: RegExp;

  /** A chunk nearly always ends with a line: looked at first. */
  protected endOfWhole(block: Buffer): number {
    return block[block.length - 1] === LF ? block.length : block.lastIndexOf(LF) + 1;
  }

  protected endOfFrame(text: string, start: number): number {
    const mark = text.indexOf("\n", start);
    return mark < 0 ? text.length : mark + 1;
  }

  /** A whole object whose line end is missing gets it; half of one is not shown. */
  protected unfinished(frame: Buffer): Buffer | null {
    return parseObject(frame.toString("utf8")) === undefined ? null : Buffer.concat([frame, Buffer.from("\n")]);
  }

  protected frame(text: string): string {
    const line = parseObject(text);
    if (!line) return text;
    if (this.#isProgress ? line["status"] === "success" : line["done"] === true) {
      this.isWhole = true;
      if (!this.#isProgress) this.#readCounts(line);
    }
    if (line["error"] !== undefined) this.hasError = true;
    const isCleaned = line["error"] !== undefined && cleanErrorWords(line);
    if (line["signin_url"] === undefined && !isCleaned) return text;
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
