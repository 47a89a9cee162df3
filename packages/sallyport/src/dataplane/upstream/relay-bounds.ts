/** Which time bound a running call has passed: until its answer begins, between two pieces, and of the whole. Asked now and then. */
import type { ProblemCode } from "@sallyport/protocol";
import type { Exchange } from "../exchange.ts";
import { answerMsOf, firstByteMsOf } from "./bounds.ts";
import { KEEP_ALIVE_MS } from "./early-stream.ts";

export class RelayBounds {
  readonly #exchange: Exchange;
  /** When the call began, monotonic ms. */
  readonly beganMs: number;
  #pieces = 0;
  /** Since when no piece has come, or the caller's reading holds them back. */
  #silentSinceMs: number;
  #sentBytes = 0;
  #quietSinceMs: number;

  constructor(exchange: Exchange, nowMs: number) {
    this.#exchange = exchange;
    this.beganMs = nowMs;
    this.#silentSinceMs = nowMs;
    this.#quietSinceMs = nowMs;
  }

  /** Null while all is within its bounds. */
  passed(nowMs: number, pieces: number, hasBegun: boolean, isPaused: boolean): ProblemCode | null {
    const exchange = this.#exchange;
    const { bounds } = exchange.upstream!;
    // An upload may take any time, and has a separate bound for standing still.
    const isUploading = exchange.endpoint!.body === "blob" && !exchange.request.readableEnded;
    if (pieces !== this.#pieces || isPaused || isUploading) {
      this.#pieces = pieces;
      this.#silentSinceMs = nowMs;
    }
    if (nowMs - this.beganMs >= answerMsOf(exchange, bounds)) return "answer_timeout";
    const silenceMs = hasBegun ? bounds.silenceMs : firstByteMsOf(exchange, bounds);
    return nowMs - this.#silentSinceMs >= silenceMs ? "upstream_timeout" : null;
  }

  /** Nothing was sent to the caller for so long that it is time for a sign of life. */
  isQuiet(nowMs: number, sentBytes: number): boolean {
    if (sentBytes !== this.#sentBytes) {
      this.#sentBytes = sentBytes;
      this.#quietSinceMs = nowMs;
    }
    return nowMs - this.#quietSinceMs >= KEEP_ALIVE_MS;
  }
}
