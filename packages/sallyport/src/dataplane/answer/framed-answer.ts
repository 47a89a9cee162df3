/**
 * A stream of frames (lines of NDJSON, or blocks of an event stream) passed through as it comes. A frame is shown whole
 * or not yet: the part after the last mark is held back, within a bound. A chunk of whole frames without anything to
 * look at costs a few native searches and is sent as the very buffer that came.
 */
import { nestsBeyond } from "@sallyport/protocol";
import type { Answer, AnswerEnd } from "./answer.ts";
import { AnswerTooLarge } from "./answer.ts";
import type { Usage } from "./usage.ts";

export const FRAME_BYTES_MAX = 8 * 1024 * 1024;

export abstract class FramedAnswer implements Answer {
  readonly isCollected = false;
  readonly hasMark: boolean = true;
  protected usage: Usage | null = null;
  protected isWhole = false;
  protected hasError = false;
  #held: Buffer | null = null;

  push(chunk: Buffer): Buffer | null {
    const block = this.#held === null ? chunk : Buffer.concat([this.#held, chunk]);
    const end = this.endOfWhole(block);
    if (end === 0) {
      if (block.length > FRAME_BYTES_MAX) throw new AnswerTooLarge();
      this.#held = block;
      return null;
    }
    this.#held = end === block.length ? null : block.subarray(end);
    return this.#look(end === block.length ? block : block.subarray(0, end));
  }

  end(): AnswerEnd {
    // A last frame without its mark is looked at like any other, so that nothing unseen is sent.
    let last = this.#held === null ? null : this.#look(this.#held);
    this.#held = null;
    if (last !== null && !this.isWhole && !this.hasError) last = this.unfinished(last);
    return { last, isWhole: this.isWhole && !this.hasError, hasError: this.hasError, usage: this.usage };
  }

  /**
   * Finds blocks whose frames must be looked at one by one; `text` of the block is latin1. One search a chunk: on short
   * chunks a regular expression over a latin1 slice costs a sixth of several searches in the buffer (measured).
   */
  protected abstract readonly interest: RegExp;

  /** Looks at one frame, mark included: the same text to pass it, another to rewrite it, "" to drop it. */
  protected abstract frame(text: string): string;

  /** Where the last whole frame ends; 0 without one. */
  protected abstract endOfWhole(block: Buffer): number;

  /** Where the frame that begins at `start` ends, its mark included. */
  protected abstract endOfFrame(text: string, start: number): number;

  /** What may be shown of a last frame that came without its end, before an error follows it. */
  protected abstract unfinished(frame: Buffer): Buffer | null;

  #look(block: Buffer): Buffer | null {
    if (!this.interest.test(block.toString("latin1"))) return block;
    const text = block.toString("utf8");
    let out = "";
    for (let start = 0; start < text.length;) {
      const end = this.endOfFrame(text, start);
      const frame = text.slice(start, end);
      // A block may hold many frames and one of interest: the others are passed unread.
      out += this.interest.test(frame) ? this.frame(frame) : frame;
      start = end;
    }
    if (out === text) return block;
    return out === "" ? null : Buffer.from(out, "utf8");
  }
}

/** Deeper nesting than any answer has: writing such a value again would overflow the stack. */
const DEPTH_MAX = 200;

/**
 * The frame's JSON, or undefined if it is invalid. Responses come from our model server; we only read its JSON and
 * never forward it as policy.
 */
export function parseObject(text: string): Record<string, unknown> | undefined {
  if (nestsBeyond(text, DEPTH_MAX)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** A count as a server reports it; 0 for anything else. */
export function count(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? Math.floor(value) : 0;
}
