/**
 * Delivers spans to an OTLP/HTTP receiver in batches, one at a time, without delaying requests. The queue is bounded:
 * spans that do not fit, that the receiver rejects or that cannot be delivered in a few attempts are dropped and
 * counted.
 */
import { attribute } from "./exchange-span.ts";
import type { Attribute, Span } from "./exchange-span.ts";
import type { Posted, Poster } from "../../kernel/post-json.ts";

export interface SpanExporterPorts {
  readonly poster: Poster;
  /** Runs `then` after `ms`, unless it is cancelled before. */
  readonly after: (ms: number, then: () => void) => { cancel(): void };
  /** Delivery fails (the first time since it worked), or works again. */
  readonly onTrouble: (reason: string) => void;
  readonly onRecovery: () => void;
  /** `service.name` and what else describes this process. */
  readonly resource: Readonly<Record<string, string>>;
}

export type DropReason = "queue_full" | "rejected" | "undelivered";

export const QUEUE_MAX = 2_048;
export const BATCH_MAX = 512;
export const FLUSH_MS = 5_000;
const ATTEMPTS = 5;
const RETRY_MS = 1_000;
const CLOSE_MS = 2_000;
/** The statuses the protocol names as worth another attempt. */
const RETRYABLE = new Set([429, 502, 503, 504]);

export class SpanExporter {
  readonly #ports: SpanExporterPorts;
  readonly #resource: readonly Attribute[];
  #queue: Span[] = [];
  #timer: { cancel(): void } | null = null;
  #sending: Promise<void> | null = null;
  #wake: () => void = () => {};
  #isInTrouble = false;
  #isClosing = false;
  exported = 0;
  readonly dropped: Record<DropReason, number> = { queue_full: 0, rejected: 0, undelivered: 0 };

  constructor(ports: SpanExporterPorts) {
    this.#ports = ports;
    this.#resource = Object.entries(ports.resource).map(([name, value]) => attribute(name, value));
  }

  get queued(): number {
    return this.#queue.length;
  }

  push(span: Span): void {
    if (this.#queue.length >= QUEUE_MAX || this.#isClosing) {
      this.dropped.queue_full++;
      return;
    }
    this.#queue.push(span);
    if (this.#sending !== null) return;
    if (this.#queue.length >= BATCH_MAX) this.#send();
    else this.#timer ??= this.#ports.after(FLUSH_MS, () => this.#send());
  }

  /** Delivers what is queued, if that does not take long; the rest is dropped. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#wake();
    if (this.#sending === null && this.#queue.length > 0) this.#send();
    const late = new Promise<void>((resolve) => this.#ports.after(CLOSE_MS, resolve));
    await Promise.race([this.#sending, late]);
    this.dropped.undelivered += this.#queue.splice(0).length;
    this.#ports.poster.close();
  }

  #send(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#sending = this.#sendAll().finally(() => {
      this.#sending = null;
      if (this.#queue.length > 0 && !this.#isClosing) this.#timer ??= this.#ports.after(FLUSH_MS, () => this.#send());
    });
  }

  /** Batch after batch while there are whole ones (or, when closing, any). */
  async #sendAll(): Promise<void> {
    do {
      const batch = this.#queue.splice(0, BATCH_MAX);
      await this.#deliver(batch);
    } while (this.#queue.length >= BATCH_MAX || (this.#isClosing && this.#queue.length > 0));
  }

  async #deliver(batch: readonly Span[]): Promise<void> {
    const scopeSpans = [{ scope: { name: "sallyport" }, spans: batch }];
    const text = JSON.stringify({ resourceSpans: [{ resource: { attributes: this.#resource }, scopeSpans }] });
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#ports.poster.post(text).catch((cause: unknown) => String(cause));
      if (typeof answer !== "string" && answer.status === 200) return this.#delivered(batch, answer);
      const isFinal = typeof answer !== "string" && !RETRYABLE.has(answer.status);
      this.#tellTrouble(typeof answer === "string" ? answer : `status ${answer.status}`);
      if (isFinal || attempt === ATTEMPTS || this.#isClosing) {
        this.dropped[isFinal ? "rejected" : "undelivered"] += batch.length;
        return;
      }
      await this.#pause(RETRY_MS * 2 ** (attempt - 1));
    }
  }

  #delivered(batch: readonly Span[], answer: Posted): void {
    const rejected = Math.min(batch.length, rejectedIn(answer.text));
    this.exported += batch.length - rejected;
    this.dropped.rejected += rejected;
    if (this.#isInTrouble) this.#ports.onRecovery();
    this.#isInTrouble = false;
  }

  #tellTrouble(reason: string): void {
    if (!this.#isInTrouble) this.#ports.onTrouble(reason);
    this.#isInTrouble = true;
  }

  /** Ends early when the exporter closes. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#ports.after(ms, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}

/** `{"partialSuccess":{"rejectedSpans":"3"}}`; a receiver that says something else has taken all. */
function rejectedIn(text: string): number {
  try {
    const { partialSuccess } = JSON.parse(text) as { partialSuccess?: { rejectedSpans?: string | number } };
    const rejected = Number(partialSuccess?.rejectedSpans ?? 0);
    return Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0;
  } catch {
    return 0;
  }
}
