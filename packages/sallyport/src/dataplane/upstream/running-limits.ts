/**
 * What bounds an answer while it runs: the longest time of its slot, and the budgets it draws from. Counts the tokens that
 * are shown by the frames of the dialect, and reserves more as they come.
 */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import { parseObject } from "../answer/framed-answer.ts";
import { lengthEnding } from "../answer/length-ending.ts";
import type { Usage } from "../answer/usage.ts";
import { heldMsOf } from "../cost.ts";
import type { Exchange } from "../exchange.ts";
import { holdTokens } from "../quotas.ts";
import type { Metering } from "../wire/endpoint.ts";

const LF = 0x0a;
/** Line ends of one frame of an event stream; a frame carries about one token. */
const LINE_ENDS: Partial<Record<Metering, number>> = { anthropic: 3, "openai-responses": 3 };
const USUAL_LINE_ENDS = 2;
/** The largest number from `least` on, below `tooMany`, that fits. */
function largest(least: number, tooMany: number, fits: (count: number) => boolean): number {
  let [low, high] = [least, tooMany];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** Bounds are looked at each second: what runs until the next look is held before it is used. */
const LOOK_MS = 1_000;
/** So many bytes more than were sent are held, so that not every piece is one more reservation. */
const BLOCK_BYTES = 16_384;

export class RunningLimits {
  readonly #exchange: Exchange;
  readonly #maxServiceMs: number;
  readonly #inputTokens: number;
  /** Tokens of its output draw from a budget. */
  readonly #isMetered: boolean;
  #lineEnds = 0;
  #shown = 0;
  /** Of which budget there was not enough. */
  #lacking: "tokens" | "bytes" = "tokens";
  /** Of Anthropic's stream: the content block that began last. */
  #openBlock: number | null = null;

  /** Null where nothing bounds it. */
  static of(exchange: Exchange): RunningLimits | null {
    const maxServiceMs = exchange.right?.share.maxServiceMs ?? null;
    return exchange.lease === null && maxServiceMs === null ? null : new RunningLimits(exchange);
  }

  private constructor(exchange: Exchange) {
    const { lease, right } = exchange;
    this.#exchange = exchange;
    this.#maxServiceMs = right?.share.maxServiceMs ?? Infinity;
    this.#inputTokens = exchange.reservedInputTokens;
    this.#isMetered = lease !== null && Math.min(lease.held("outputTokens"), lease.held("tokens")) < Infinity;
  }

  /** How many of these bytes may be shown: all of them, or the whole frames that its budgets have. */
  admit(bytes: Buffer, isEventStream: boolean): number {
    const { endpoint, lease } = this.#exchange;
    const { metering } = endpoint!;
    const perFrame = isEventStream ? (LINE_ENDS[metering] ?? USUAL_LINE_ENDS) : 1;
    const ends: number[] = [];
    for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) ends.push(at + 1);
    const shown = Math.floor((this.#lineEnds + ends.length) / perFrame);
    let most = shown;
    // Halving finds what is left of the budgets, which others draw from, too.
    if (this.#isMetered && lease !== null && !holdTokens(lease, this.#inputTokens, shown))
      most = largest(this.#shown, shown, (tokens) => holdTokens(lease, this.#inputTokens, tokens));
    const isAll = most === shown;
    const length = isAll ? bytes.length : (ends[most * perFrame - this.#lineEnds - 1] ?? 0);
    this.#lacking = "tokens";
    if (!this.#holdBytes(length)) return 0;
    if (metering === "anthropic") this.#noteBlocks(bytes.subarray(0, length));
    this.#lineEnds = isAll ? this.#lineEnds + ends.length : most * perFrame;
    this.#shown = most;
    return length;
  }

  /** The last bytes may be shown. Of an answer in one piece, the tokens were reserved, and its length is known now. */
  admitsLast(bytes: Buffer | null, hasBegun: boolean, isEventStream: boolean): boolean {
    if (bytes === null) return true;
    return hasBegun ? this.admit(bytes, isEventStream) === bytes.length : this.#holdBytes(bytes.length);
  }

  /** Bytes draw from a budget, too: all of them are there, or none of these is shown. */
  #holdBytes(length: number): boolean {
    const { lease, sentBytes, serialized } = this.#exchange;
    if (lease === null || lease.held("bytes") === Infinity) return true;
    const all = serialized!.bytes.length + sentBytes + length;
    if (lease.holdAtLeast({ bytes: all + BLOCK_BYTES }) || lease.holdAtLeast({ bytes: all })) return true;
    this.#lacking = "bytes";
    return false;
  }

  /** Why not all of what was last asked for may be shown. */
  shortage(): Refusal {
    return refuse("quota_exceeded", this.#lacking);
  }

  /** Why it must end now; undefined while it is within its bounds. */
  passed(nowMs: number): Refusal | undefined {
    const { lease, service } = this.#exchange;
    // While it waits for another replica it holds no slot; lists and the management of models hold none at all.
    if (service === null) return undefined;
    const heldMs = heldMsOf(this.#exchange, nowMs);
    if (heldMs >= this.#maxServiceMs) return refuse("service_time_exceeded");
    if (lease === null) return undefined;
    return lease.holdAtLeast({ compute: heldMs + LOOK_MS }) ? undefined : refuse("quota_exceeded", "compute");
  }

  /** What it used, as far as it was shown. */
  usage(estimatedInputTokens: number): Usage {
    return { inputTokens: estimatedInputTokens, outputTokens: this.#shown, isEstimated: true };
  }

  /** The last frames of its stream; undefined where the dialect has no ending for an answer that became too long. */
  ending(isEventStream: boolean, nowMs: number): Buffer | undefined {
    const { endpoint, understood, id } = this.#exchange;
    const text = lengthEnding(endpoint!.metering, isEventStream, {
      requestId: id,
      model: understood!.model?.key ?? "",
      path: endpoint!.path,
      nowMs,
      outputTokens: this.#shown,
      openBlock: this.#openBlock,
    });
    return text === undefined ? undefined : Buffer.from(text);
  }

  #noteBlocks(bytes: Buffer): void {
    if (!bytes.includes("content_block_start")) return;
    for (const line of bytes.toString("utf8").split("\n")) {
      if (!line.startsWith("data:") || !line.includes("content_block_start")) continue;
      const index = parseObject(line.slice("data:".length))?.["index"];
      if (typeof index === "number") this.#openBlock = index;
    }
  }
}
