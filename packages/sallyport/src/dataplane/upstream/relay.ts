/**
 * One response from the model server to the caller. It waits for the intent to be on disk before a byte is sent, keeps
 * back-pressure in both directions and every timeout, ends cleanly in the caller's dialect when it is aborted or the
 * model server dies, and cancels the model server's work when the caller has gone. It finishes exactly once.
 */
import type { Dispatcher } from "undici";
import { isRefusal, refuse } from "@sallyport/protocol";
import type { ProblemCode, Refusal } from "@sallyport/protocol";
import { AnswerRejected } from "../answer/answer.ts";
import type { Answer } from "../answer/answer.ts";
import { readAnswer } from "../answer/read-answer.ts";
import { KeyInAnswer } from "../../leaks/answer-keys.ts";
import type { AnswerKeys } from "../../leaks/answer-keys.ts";
import { makeAnswerKeys } from "../keys-in-traffic.ts";
import { readUpstreamError } from "../answer/upstream-error.ts";
import { settleUsage } from "../answer/plausible-usage.ts";
import { estimateUsage } from "../answer/usage.ts";
import type { Exchange, Interruptible, Outcome } from "../exchange.ts";
import { isRecorded, mayGoUnrecorded } from "../may-go-unrecorded.ts";
import { errorChunk, streamEnding } from "../refuse.ts";
import { AnswerWriter } from "./answer-writer.ts";
import { failureOf } from "./health.ts";
import { beginEventStream, expectsEvents, writeComment } from "./early-stream.ts";
import { declaredLength, isStreamType, mediaType, usageTrailer, writeAnswerHead } from "./headers.ts";
import { noteAnswer, noteFirstByte } from "./lessons.ts";
import { RelayBounds } from "./relay-bounds.ts";
import type { RelayEnds, RelayPorts } from "./relay-ports.ts";
import { RunningLimits } from "./running-limits.ts";
import { readRetryAfter } from "./retry-after.ts";
import { correctReplica } from "./turn.ts";

/** A whole answer that declares no more than this is shown when all of it has come: it waits for its record once. */
const WHOLE_BYTES_MAX = 64 * 1024;

export class Relay implements Dispatcher.DispatchHandler, Interruptible {
  readonly #exchange: Exchange;
  readonly #ports: RelayPorts;
  readonly #ends: RelayEnds;
  readonly #bounds: RelayBounds;
  readonly #limits: RunningLimits | null;
  #controller: Dispatcher.DispatchController | null = null;
  #answer: Answer | null = null;
  /** Looks for keys in what will be shown. */
  #keys: AnswerKeys | null = null;
  #writer: AnswerWriter | null = null;
  /** Chunks that came and were not looked at yet. */
  #chunks: Buffer[] = [];
  /** Chunks that came at all: about one a token in a stream, for estimates. */
  #pieces = 0;
  #status = 0;
  /** The answer's media type; that of the head we sent, where we began before the upstream did. */
  #type = "";
  /** The declared length of a small whole answer, whose head waits for its body; undefined for all others. */
  #wholeLength: number | undefined;
  #isPaused = false;
  #isOver = false;

  constructor(exchange: Exchange, ports: RelayPorts, ends: RelayEnds) {
    this.#exchange = exchange;
    this.#ports = ports;
    this.#ends = ends;
    this.#writer = exchange.writer; // It may have begun in the queue already.
    if (this.#writer !== null) this.#type = "text/event-stream";
    this.#limits = RunningLimits.of(exchange);
    this.#bounds = new RelayBounds(exchange, ports.clock.monotonic());
    exchange.interruptible = this;
    exchange.response.on("drain", this.#onDrain);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) controller.abort(new Error("over before it began"));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (this.#isOver || status < 200) return;
    const exchange = this.#exchange;
    exchange.upstream!.health.answered(status);
    // Redirects are never followed, and never shown: the address in them is not ours to give.
    if (status >= 300 && status < 400) return this.#break("upstream_broken", "broken");
    this.#status = status;
    exchange.upstreamStatus = status;
    exchange.firstByteMs = Math.round(this.#ports.clock.monotonic() - exchange.startedMs);
    noteFirstByte(exchange, status, mediaType(headers["content-type"]));
    if (status === 429 || status === 503)
      exchange.retryAfterSeconds = readRetryAfter(headers["retry-after"], this.#ports.clock.now());
    // A HEAD has no body to say what an error is about.
    if (exchange.request.method === "HEAD" && (status === 401 || status === 403 || status === 407))
      return this.#break("upstream_denied", "upstream_error");
    const type = mediaType(headers["content-type"]);
    // A page for people: some other server, or a proxy's word, stands where the model server should.
    if (status < 300 && type === "text/html") return this.#break("upstream_broken", "broken");
    this.#answer = readAnswer(exchange, status, type);
    this.#keys = makeAnswerKeys(this.#ports.traffic, exchange, isStreamType(type) && !this.#answer.isCollected);
    if (this.#writer !== null) {
      // We began an event stream: only an event stream can go on in it, and an error ends it.
      if (!this.#answer.isCollected && type !== this.#type) this.#break("upstream_broken", "broken");
      return;
    }
    this.#type = type;
    if (this.#answer.isCollected) return;
    // A HEAD's length would tell how long the unfiltered listing is; of a stream, parts may be taken out on the way.
    const hasLength = !isStreamType(type) && !this.#answer.hasMark && exchange.request.method !== "HEAD";
    const length = hasLength ? declaredLength(headers) : undefined;
    if (length !== undefined && length <= WHOLE_BYTES_MAX) {
      this.#wholeLength = length;
      return;
    }
    this.#whenRecorded(() => this.#begin(length));
    if (!exchange.response.headersSent && !this.#isOver) this.#pause();
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isOver || !this.#answer) return;
    this.#pieces++;
    // What one read of the socket brought is looked at and written together, at the end of that same turn.
    if (this.#chunks.push(chunk) === 1 && this.#wholeLength === undefined) process.nextTick(this.#flush);
  }

  onResponseEnd(): void {
    if (this.#isOver || !this.#answer) return;
    // An answer without a body may end before its intent is on disk: its head waits, and so does the end.
    this.#whenRecorded(this.#finishAnswer);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#isOver) return;
    if (!this.#answer) {
      const failure = failureOf(error, this.#controller !== null);
      this.#exchange.upstream!.health.failed(failure);
      this.#controller = null;
      if (!this.#ends.repeat(failure)) this.unreachable();
      return;
    }
    this.#exchange.upstream!.health.failed("broken");
    this.#flush();
    if (!this.#isOver) this.#break("upstream_broken", "incomplete");
  }

  /** Keeps the time bounds, and keeps the connection of an event stream alive while the model thinks. */
  tick(nowMs: number): void {
    if (this.#isOver) return;
    correctReplica(this.#exchange, nowMs);
    const limit = this.#limits?.passed(nowMs);
    if (limit) return this.#endAtLimit(limit);
    const code = this.#bounds.passed(nowMs, this.#pieces, this.#answer !== null, this.#isPaused);
    if (code !== null) {
      if (code === "upstream_timeout") this.#exchange.upstream!.health.failed("broken");
      return this.#break(code, "timed_out");
    }
    if (!this.#bounds.isQuiet(nowMs, this.#exchange.sentBytes) || this.#isPaused) return;
    if (this.#writer === null) {
      if (this.#answer !== null || !expectsEvents(this.#exchange) || !isRecorded(this.#exchange, this.#ports.ledger))
        return;
      this.#type = "text/event-stream";
      this.#writer = beginEventStream(this.#exchange);
    } else if (this.#type !== "text/event-stream") return;
    if (!writeComment(this.#exchange)) this.#pause();
  }

  /** Shows what has come, once the head is out. */
  readonly #flush = (): void => {
    if (this.#isOver || (this.#writer === null && !this.#answer!.isCollected)) return;
    try {
      const bytes = this.#read();
      if (bytes === null) return;
      const shown = this.#limits?.admit(bytes, this.#type === "text/event-stream") ?? bytes.length;
      this.#exchange.sentBytes += shown;
      if (!this.#writer!.write(bytes.subarray(0, shown))) this.#pause();
      if (shown < bytes.length) this.#endAtLimit(this.#limits!.shortage());
    } catch (cause) {
      this.fault(cause);
    }
  };

  /** What may be shown of what has come; null for nothing, or when it passed its bound and all is over. */
  #read(): Buffer | null {
    const chunks = this.#chunks;
    if (chunks.length === 0) return null;
    this.#chunks = [];
    return this.#unlessRejected(() => {
      const bytes = this.#answer!.push(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
      return bytes === null ? null : this.#keys!.push(bytes);
    });
  }

  /** Null when what has come must not be shown and all is over. */
  #unlessRejected<T>(read: () => T): T | null {
    try {
      return read();
    } catch (cause) {
      this.#reject(cause);
      return null;
    }
  }

  /** What has come must not be shown, and nothing after it. */
  #reject(cause: unknown): void {
    if (cause instanceof KeyInAnswer) this.#break("key_in_response", "cut");
    else if (cause instanceof AnswerRejected) this.#break(cause.code, "broken");
    else throw cause;
  }

  readonly #finishAnswer = (): void => {
    try {
      this.#end();
    } catch (cause) {
      this.fault(cause);
    }
  };

  #end(): void {
    const exchange = this.#exchange;
    const answer = this.#answer!;
    // What came together with the end of a stream is bounded like what came before it.
    if (this.#writer !== null && this.#limits !== null) this.#flush();
    const rest = this.#isOver ? null : this.#read();
    const ended = this.#isOver ? null : this.#unlessRejected(() => answer.end());
    const last = ended && this.#unlessRejected(() => this.#keys!.end(ended.last));
    if (ended === null || this.#isOver) return;
    const { isWhole, hasError, usage } = ended;
    exchange.usage = usage;
    const bytes = rest && last ? Buffer.concat([rest, last]) : (rest ?? last);
    if (this.#limits?.admitsLast(bytes, this.#writer !== null, this.#type === "text/event-stream") === false)
      return this.#endAtLimit(this.#limits.shortage());
    if (answer.isCollected && !this.#beginCollected(last)) return;
    if (this.#writer === null) this.#writeHead(this.#wholeLength);
    exchange.sentBytes += bytes?.length ?? 0;
    if (!isWhole && !hasError && isStreamType(this.#type) && answer.hasMark) {
      // It stopped without the mark that ends an answer: the caller must not take it for whole.
      if (bytes !== null) this.#writer!.write(bytes);
      exchange.upstream!.health.failed("broken");
      return this.#break("upstream_broken", "incomplete");
    }
    this.#writer!.end(bytes, usageTrailer(exchange, this.#ports.clock.monotonic()));
    this.#over(this.#status >= 400 || hasError ? "upstream_error" : isWhole ? "served" : "incomplete", undefined);
  }

  /** Begins an answer that was rewritten as a whole; false when something else was sent in its place. */
  #beginCollected(last: Buffer | null): boolean {
    const exchange = this.#exchange;
    if (this.#status >= 400) {
      const error = readUpstreamError(this.#status, last, exchange.retryAfterSeconds);
      if (isRefusal(error)) {
        this.#stop(error, "upstream_error");
        return false;
      }
      if (this.#writer !== null) {
        this.#writer.end(Buffer.from(errorChunk(exchange.endpoint!.dialect, true, error.body)));
        this.#over("upstream_error", undefined);
        return false;
      }
    } else if (last === null || this.#writer !== null) {
      this.#break("upstream_broken", "broken");
      return false;
    }
    this.#type = "application/json";
    this.#begin(last!.length);
    return true;
  }

  /** Runs `then` once the intent is on disk: at once where it is already. A commit that fails aborts the upstream. */
  #whenRecorded(then: () => void): void {
    const { ledger, unrecorded } = this.#ports;
    const { ticket, isUnrecorded } = this.#exchange;
    if (ticket === null || isUnrecorded || ledger.isDurable(ticket)) return then();
    ledger.whenDurable(ticket, (isOnDisk) => {
      if (this.#isOver) return;
      if (!isOnDisk && !mayGoUnrecorded(this.#exchange, unrecorded))
        return this.#break("ledger_unavailable", "not_recorded");
      then();
      this.#resume();
    });
  }

  #begin(length: number | undefined): void {
    this.#writeHead(length);
    this.#flush();
  }

  #writeHead(length: number | undefined): void {
    writeAnswerHead(this.#exchange, this.#status, this.#type, length, this.#ports.clock.monotonic());
    this.#writer = new AnswerWriter(this.#exchange.response);
  }

  #pause(): void {
    this.#isPaused = true;
    this.#controller?.pause();
  }

  #resume(): void {
    this.#isPaused = false;
    this.#controller?.resume();
  }

  readonly #onDrain = (): void => {
    if (!this.#isOver) this.#resume();
  };

  /** The caller has gone. */
  leave(): void {
    if (this.#isOver) return;
    this.#over(this.#exchange.goneOutcome, undefined);
    this.#controller?.abort(new Error("the caller has gone"));
  }

  /** The right ended, or the gateway is closing. */
  cut(refusal: Refusal): void {
    if (!this.#isOver) this.#stop(refusal, "cut");
  }

  /** The caller sends something other than announced, or no replica is left on which to repeat the call. */
  refuse(refusal: Refusal, outcome: Outcome): void {
    if (!this.#isOver) this.#stop(refusal, outcome);
  }

  /** The model server cannot be reached, and there is no other. The denial says when it is tried again. */
  unreachable(): void {
    if (this.#isOver) return;
    const { retryAfterSeconds } = this.#exchange.upstream!.health;
    this.#stop(refuse("upstream_unreachable").with({ retryAfterSeconds }), "unreachable");
  }

  /** A stream that has begun ends as one that became too long; anything else is denied. */
  #endAtLimit(refusal: Refusal): void {
    const exchange = this.#exchange;
    const isOpen = this.#writer !== null && this.#answer !== null && isStreamType(this.#type);
    const last = isOpen ? this.#limits!.ending(this.#type === "text/event-stream", exchange.at) : undefined;
    if (exchange.response.headersSent && isOpen)
      exchange.usage = this.#limits!.usage(estimateUsage(exchange.understood!.inputCharacters, 0).inputTokens);
    if (last === undefined) return this.#stop(refusal, "limited");
    exchange.refusal = refusal;
    this.#writer!.end(last, usageTrailer(exchange, this.#ports.clock.monotonic()));
    this.#over("limited", undefined);
    this.#controller!.abort(new Error("limited"));
  }

  #break(code: ProblemCode, outcome: Outcome): void {
    this.#stop(refuse(code), outcome);
  }

  /**
   * Ends before the response is complete: as a denial while nothing was sent, otherwise as the dialect's last chunk.
   */
  #stop(refusal: Refusal, outcome: Outcome): void {
    const { response, endpoint, id } = this.#exchange;
    this.#exchange.refusal = refusal;
    if (!response.headersSent) {
      this.#over(outcome, refusal);
    } else {
      // A stream can say that it ends badly; one object cannot, so its connection is closed and the caller sees that it
      // is incomplete.
      if (isStreamType(this.#type)) {
        const isEventStream = this.#type === "text/event-stream";
        this.#writer!.end(Buffer.from(streamEnding(endpoint!.dialect, isEventStream, refusal, id)));
      } else {
        response.destroy();
      }
      this.#over(outcome, undefined);
    }
    this.#controller?.abort(new Error(outcome));
  }

  #over(outcome: Outcome, refusal: Refusal | undefined): void {
    const exchange = this.#exchange;
    this.#isOver = true;
    exchange.response.off("drain", this.#onDrain);
    exchange.interruptible = null;
    exchange.outcome = outcome;
    // Bytes of an answer are an estimate of it, and so is the time a model worked on one of which nothing was seen.
    const tookMs = this.#ports.clock.monotonic() - this.#bounds.beganMs;
    const isStream = isStreamType(this.#type);
    if (this.#status < 400 && outcome !== "unreachable")
      exchange.usage = settleUsage(exchange, this.#pieces, isStream, this.#controller === null ? null : tookMs);
    noteAnswer(exchange, this.#status, isStream, tookMs);
    this.#ends.finish(refusal);
  }

  /** The answer is read outside of any stage's call: what breaks there is brought back to the pipeline from here. */
  fault(cause: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const exchange = this.#exchange;
    exchange.response.off("drain", this.#onDrain);
    exchange.interruptible = null;
    exchange.outcome = "broken";
    this.#controller?.abort(new Error("a fault"));
    this.#ends.fault(cause);
  }
}
