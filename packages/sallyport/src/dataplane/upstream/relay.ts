/**
 * One answer from the upstream to the caller. It waits for the intent to be on disk before a byte leaves, keeps
 * back-pressure in both directions, ends cleanly in the caller's dialect when it is cut or the upstream dies, and
 * cancels the upstream when the caller has gone. It finishes exactly once.
 */
import type { Dispatcher } from "undici";
import { refuse } from "@sallyport/protocol";
import type { ProblemCode, Refusal } from "@sallyport/protocol";
import type { LedgerAppender } from "../../audit/recorder.ts";
import type { UnrecordedRequests } from "../../audit/unrecorded.ts";
import type { Clock } from "../../kernel/clock.ts";
import { AnswerRejected } from "../answer/answer.ts";
import type { Answer, AnswerEnd } from "../answer/answer.ts";
import { readAnswer } from "../answer/read-answer.ts";
import { estimateUsage } from "../answer/usage.ts";
import type { Exchange, Interruptible, Outcome } from "../exchange.ts";
import { mayGoUnrecorded } from "../may-go-unrecorded.ts";
import { streamEnding } from "../refuse.ts";
import { AnswerWriter } from "./answer-writer.ts";
import { mediaType, writeAnswerHead } from "./headers.ts";

export interface RelayPorts {
  readonly ledger: LedgerAppender;
  readonly unrecorded: UnrecordedRequests;
  readonly clock: Clock;
}

/** How a relay ends: one of the two, once. */
export interface RelayEnds {
  /** With a refusal when nothing was sent yet and the caller must be told, else with undefined. */
  finish(refusal: Refusal | undefined): void;
  /** Something broke in reading or writing the answer. */
  fault(cause: unknown): void;
}

export class Relay implements Dispatcher.DispatchHandler, Interruptible {
  readonly #exchange: Exchange;
  readonly #ports: RelayPorts;
  readonly #ends: RelayEnds;
  #controller: Dispatcher.DispatchController | null = null;
  #answer: Answer | null = null;
  #writer: AnswerWriter | null = null;
  /** Chunks that came and were not looked at yet. */
  #chunks: Buffer[] = [];
  /** Chunks that came at all: about one a token in a stream, for estimates. */
  #pieces = 0;
  #status = 0;
  #type = "";
  #isOver = false;

  constructor(exchange: Exchange, ports: RelayPorts, ends: RelayEnds) {
    this.#exchange = exchange;
    this.#ports = ports;
    this.#ends = ends;
    exchange.interruptible = this;
    exchange.response.on("close", this.#onClose);
    exchange.response.on("drain", this.#onDrain);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) controller.abort(new Error("over before it began"));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (this.#isOver || status < 200) return;
    // Redirects are never followed, and never shown: the address in them is not ours to give.
    if (status >= 300 && status < 400) return this.#break("upstream_broken", "broken");
    this.#status = status;
    this.#exchange.upstreamStatus = status;
    this.#exchange.firstByteMs = Math.round(this.#ports.clock.monotonic() - this.#exchange.startedMs);
    this.#type = mediaType(headers["content-type"]);
    // A page for people: some other server, or a proxy's word, stands where the model server should.
    if (status < 300 && this.#type === "text/html") return this.#break("upstream_broken", "broken");
    this.#answer = readAnswer(this.#exchange, status, this.#type);
    if (this.#answer.isCollected) return;
    const isStream = this.#type === "application/x-ndjson" || this.#type === "text/event-stream";
    // A HEAD's length would tell how long the unfiltered listing is.
    const length = isStream || this.#exchange.request.method === "HEAD" ? undefined : declaredLength(headers);
    this.#whenRecorded(() => this.#begin(length));
    if (!this.#exchange.response.headersSent && !this.#isOver) controller.pause();
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isOver || !this.#answer) return;
    this.#pieces++;
    // What one read of the socket brought is looked at and written together, at the end of that same turn.
    if (this.#chunks.push(chunk) === 1) process.nextTick(this.#flush);
  }

  onResponseEnd(): void {
    if (this.#isOver || !this.#answer) return;
    // An answer without a body may end before its intent is on disk: its head waits, and so does the end.
    this.#whenRecorded(this.#finishAnswer);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#isOver) return;
    // A connection that is not made in time is a server that cannot be reached; the other timeouts are a slow one.
    const isTimeout = error.name === "HeadersTimeoutError" || error.name === "BodyTimeoutError";
    if (!this.#answer)
      return this.#break(
        isTimeout ? "upstream_timeout" : "upstream_unreachable",
        isTimeout ? "timed_out" : "unreachable",
      );
    this.#flush();
    if (!this.#isOver)
      this.#break(isTimeout ? "upstream_timeout" : "upstream_broken", isTimeout ? "timed_out" : "incomplete");
  }

  /** Shows what has come, once the head is out. */
  readonly #flush = (): void => {
    if (this.#isOver || (this.#writer === null && !this.#answer!.isCollected)) return;
    try {
      const bytes = this.#read();
      if (bytes === null) return;
      this.#exchange.sentBytes += bytes.length;
      if (!this.#writer!.write(bytes)) this.#controller?.pause();
    } catch (cause) {
      this.fault(cause);
    }
  };

  /** What may be shown of what has come; null for nothing, or when it passed its bound and all is over. */
  #read(): Buffer | null {
    const chunks = this.#chunks;
    if (chunks.length === 0) return null;
    this.#chunks = [];
    try {
      return this.#answer!.push(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
    } catch (cause) {
      if (!(cause instanceof AnswerRejected)) throw cause;
      this.#break(cause.code, "broken");
      return null;
    }
  }

  /** Null when its last part must not be shown and all is over. */
  #endOf(answer: Answer): AnswerEnd | null {
    try {
      return answer.end();
    } catch (cause) {
      if (!(cause instanceof AnswerRejected)) throw cause;
      this.#break(cause.code, "broken");
      return null;
    }
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
    const rest = this.#read();
    if (this.#isOver) return;
    const ended = this.#endOf(answer);
    if (ended === null) return;
    const { last, isWhole, hasError, usage } = ended;
    exchange.usage = usage;
    if (answer.isCollected) {
      if (last === null) return this.#break("upstream_broken", "broken");
      this.#type = "application/json";
      this.#begin(last.length);
    }
    const bytes = rest && last ? Buffer.concat([rest, last]) : (rest ?? last);
    exchange.sentBytes += bytes?.length ?? 0;
    this.#writer!.end(bytes);
    this.#over(this.#status >= 400 || hasError ? "upstream_error" : isWhole ? "served" : "incomplete", undefined);
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
      this.#controller?.resume();
    });
  }

  #begin(length: number | undefined): void {
    writeAnswerHead(this.#exchange, this.#status, this.#type, length);
    this.#writer = new AnswerWriter(this.#exchange.response);
    this.#flush();
  }

  readonly #onDrain = (): void => {
    if (!this.#isOver) this.#controller?.resume();
  };

  readonly #onClose = (): void => {
    if (this.#isOver) return;
    this.#over("client_gone", undefined);
    this.#controller?.abort(new Error("the caller has gone"));
  };

  /** The right ended, or the gateway is closing. */
  cut(refusal: Refusal): void {
    if (!this.#isOver) this.#stop(refusal, "cut");
  }

  /** What the caller sends is not what he said it would be. */
  refuse(refusal: Refusal): void {
    if (!this.#isOver) this.#stop(refusal, "altered");
  }

  #break(code: ProblemCode, outcome: Outcome): void {
    this.#stop(refuse(code), outcome);
  }

  /** Ends before the answer is whole: told as a refusal while nothing was sent, else as the dialect's last chunk. */
  #stop(refusal: Refusal, outcome: Outcome): void {
    const { response, endpoint, id } = this.#exchange;
    this.#exchange.refusal = refusal;
    if (!response.headersSent) {
      this.#over(outcome, refusal);
    } else {
      const isEventStream = this.#type === "text/event-stream";
      // A stream can say that it ends badly; one object cannot, so its connection is cut and the caller sees it is not whole.
      if (isEventStream || this.#type === "application/x-ndjson") {
        this.#writer!.end(Buffer.from(streamEnding(endpoint!.dialect, isEventStream, refusal.code, id)));
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
    exchange.response.off("close", this.#onClose).off("drain", this.#onDrain);
    exchange.interruptible = null;
    exchange.outcome = outcome;
    if (exchange.usage === null && exchange.endpoint!.metering !== "none" && this.#status > 0 && this.#status < 400) {
      exchange.usage = estimateUsage(exchange.understood!.inputCharacters, 4 * this.#pieces);
    }
    this.#ends.finish(refusal);
  }

  /** The answer is read outside of any stage's call: what breaks there is brought back to the pipeline from here. */
  fault(cause: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const exchange = this.#exchange;
    exchange.response.off("close", this.#onClose).off("drain", this.#onDrain);
    exchange.interruptible = null;
    exchange.outcome = "broken";
    this.#controller?.abort(new Error("a fault"));
    this.#ends.fault(cause);
  }
}

function declaredLength(headers: Record<string, string | string[] | undefined>): number | undefined {
  const text = headers["content-length"];
  return typeof text === "string" && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
