import { describe, expect, it } from "vitest";
import type { Span } from "./exchange-span.ts";
import type { Posted } from "../../kernel/post-json.ts";
import { BATCH_MAX, FLUSH_MS, QUEUE_MAX, SpanExporter } from "./span-exporter.ts";

interface Sent {
  readonly resourceSpans: readonly [
    { readonly resource: unknown; readonly scopeSpans: readonly [{ readonly spans: readonly Span[] }] },
  ];
}

const span = { traceId: "t", spanId: "s" } as Span;

/** An exporter whose time passes when the test says so, in front of a receiver that answers as it is told. */
class Bench {
  readonly sent: Sent[] = [];
  readonly told: string[] = [];
  isClosed = false;
  answer: (sent: Sent) => Posted | Promise<Posted> = () => ({ status: 200, text: "{}" });
  readonly #timers: { readonly ms: number; readonly run: () => void }[] = [];
  readonly exporter = new SpanExporter({
    poster: {
      post: async (text) => {
        const sent = JSON.parse(text) as Sent;
        this.sent.push(sent);
        return this.answer(sent);
      },
      close: () => void (this.isClosed = true),
    },
    after: (ms, run) => {
      const timer = { ms, run };
      this.#timers.push(timer);
      return {
        cancel: () => void (this.#timers.includes(timer) && this.#timers.splice(this.#timers.indexOf(timer), 1)),
      };
    },
    onTrouble: (reason) => this.told.push(reason),
    onRecovery: () => this.told.push("recovered"),
    resource: { "service.name": "sallyport" },
  });

  push(count: number): void {
    for (let i = 0; i < count; i++) this.exporter.push(span);
  }

  /** The next timer is due. Answers how long it had to wait. */
  async pass(): Promise<number | undefined> {
    const timer = this.#timers.shift();
    timer?.run();
    await this.rest();
    return timer?.ms;
  }

  /** Everything that needs no time has happened. */
  async rest(): Promise<void> {
    for (let i = 0; i < 50; i++) await Promise.resolve();
  }

  get sizes(): number[] {
    return this.sent.map(({ resourceSpans }) => resourceSpans[0].scopeSpans[0].spans.length);
  }
}

describe("SpanExporter", () => {
  it("sends what came within a few seconds as one batch", async () => {
    const bench = new Bench();
    bench.push(3);
    expect(bench.sent).toEqual([]);
    expect(await bench.pass()).toBe(FLUSH_MS);
    expect(bench.sizes).toEqual([3]);
    expect(bench.sent[0]!.resourceSpans[0].resource).toEqual({
      attributes: [{ key: "service.name", value: { stringValue: "sallyport" } }],
    });
    expect([bench.exporter.exported, bench.exporter.queued]).toEqual([3, 0]);
  });

  it("sends a full batch at once, and the rest in its time", async () => {
    const bench = new Bench();
    bench.push(BATCH_MAX + 1);
    await bench.rest();
    expect(bench.sizes).toEqual([BATCH_MAX]);
    expect(await bench.pass()).toBe(FLUSH_MS);
    expect(bench.sizes).toEqual([BATCH_MAX, 1]);
    expect(await bench.pass()).toBeUndefined();
  });

  it("drops what finds the queue full, and counts it", async () => {
    const bench = new Bench();
    let release: (answer: Posted) => void = () => {};
    bench.answer = () => new Promise((resolve) => (release = resolve));
    bench.push(BATCH_MAX + QUEUE_MAX + 7);
    await bench.rest();
    expect([bench.exporter.queued, bench.exporter.dropped.queue_full]).toEqual([QUEUE_MAX, 7]);
    bench.answer = () => ({ status: 200, text: "{}" });
    release({ status: 200, text: "{}" });
    await bench.rest();
    expect([bench.exporter.queued, bench.exporter.exported]).toEqual([0, BATCH_MAX + QUEUE_MAX]);
  });

  it("tries again what may work later, longer each time, tells it once, and gives up", async () => {
    const bench = new Bench();
    bench.answer = () => ({ status: 503, text: "" });
    bench.push(1);
    expect([await bench.pass(), await bench.pass(), await bench.pass()]).toEqual([FLUSH_MS, 1_000, 2_000]);
    bench.answer = () => Promise.reject(new Error("no connection"));
    expect([await bench.pass(), await bench.pass()]).toEqual([4_000, 8_000]);
    expect([bench.sent.length, bench.exporter.dropped.undelivered, bench.told]).toEqual([5, 1, ["status 503"]]);
    bench.answer = () => ({ status: 200, text: "" });
    bench.push(1);
    await bench.pass();
    expect([bench.exporter.exported, bench.told]).toEqual([1, ["status 503", "recovered"]]);
  });

  it("does not send again what the receiver refused, in whole or in part", async () => {
    const bench = new Bench();
    bench.answer = () => ({ status: 400, text: "" });
    bench.push(2);
    await bench.pass();
    bench.answer = () => ({ status: 200, text: '{"partialSuccess":{"rejectedSpans":"1"}}' });
    bench.push(3);
    await bench.pass();
    expect(bench.sizes).toEqual([2, 3]);
    expect([bench.exporter.exported, bench.exporter.dropped.rejected]).toEqual([2, 3]);
  });

  it("delivers the rest when it closes, without waiting for another attempt", async () => {
    const bench = new Bench();
    bench.push(1);
    await bench.exporter.close();
    expect([bench.sizes, bench.exporter.exported, bench.isClosed]).toEqual([[1], 1, true]);
    bench.push(1);
    expect(bench.exporter.dropped.queue_full).toBe(1);

    const late = new Bench();
    late.answer = () => ({ status: 503, text: "" });
    late.push(1);
    await late.pass();
    await late.exporter.close();
    expect([late.sent.length, late.exporter.dropped.undelivered]).toEqual([2, 1]);
  });

  it("does not wait for a receiver that says nothing when it closes", async () => {
    const bench = new Bench();
    bench.answer = () => new Promise(() => {});
    bench.push(1);
    const closed = bench.exporter.close();
    await bench.rest();
    // The flush's timer was cancelled: what is due next is the end of patience.
    expect(await bench.pass()).toBe(2_000);
    await closed;
    expect(bench.isClosed).toBe(true);
  });
});
