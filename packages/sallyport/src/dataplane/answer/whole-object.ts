/**
 * One JSON object (or an empty body) passed through as it comes. Usage stands near its end in every dialect, and with some
 * servers at its beginning, so only the first and the last bytes are kept; quotes inside JSON strings are escaped, so a key
 * found there is a key.
 */
import type { Answer, AnswerEnd } from "./answer.ts";
import type { Usage } from "./usage.ts";

const TAIL_BYTES = 4096;
const HEAD_BYTES = 512;

export class WholeObject implements Answer {
  readonly isCollected = false;
  readonly hasMark = false;
  #tail: Buffer = Buffer.alloc(0);
  #head: Buffer = Buffer.alloc(0);
  #size = 0;

  push(chunk: Buffer): Buffer {
    if (this.#size < HEAD_BYTES) this.#head = Buffer.concat([this.#head, chunk]).subarray(0, HEAD_BYTES);
    this.#size += chunk.length;
    const joined = this.#tail.length === 0 || chunk.length >= TAIL_BYTES ? chunk : Buffer.concat([this.#tail, chunk]);
    this.#tail = joined.length <= TAIL_BYTES ? joined : joined.subarray(joined.length - TAIL_BYTES);
    return chunk;
  }

  end(): AnswerEnd {
    const text = this.#tail.toString("latin1");
    const isWhole = this.#size === 0 || /[}\]"a-z0-9.]\s*$/.test(text);
    return {
      last: null,
      isWhole,
      hasError: false,
      usage: readCounts(text) ?? readCounts(this.#head.toString("latin1")),
    };
  }
}

function readCounts(text: string): Usage | null {
  const input = lastCount(text, /"(?:prompt_eval_count|prompt_tokens|input_tokens)"\s*:\s*(\d+)/g);
  const output = lastCount(text, /"(?:eval_count|completion_tokens|output_tokens)"\s*:\s*(\d+)/g);
  if (input === undefined && output === undefined) return null;
  return { inputTokens: input ?? 0, outputTokens: output ?? 0, isEstimated: false };
}

function lastCount(text: string, pattern: RegExp): number | undefined {
  let found: number | undefined;
  for (const match of text.matchAll(pattern)) found = Number(match[1]);
  return found;
}
