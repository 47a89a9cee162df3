/** Traces, joined; loaded only where the settings ask for them. */
import { randomUUID } from "node:crypto";
import type { Log } from "../kernel/log.ts";
import type { Registry } from "../outlets/metrics/registry.ts";
import { ExchangeTraces } from "../outlets/traces/exchange-traces.ts";
import { makePoster } from "../kernel/post-json.ts";
import { SpanExporter } from "../outlets/traces/span-exporter.ts";
import { VERSION } from "../version.ts";

export interface OpenTraces {
  readonly exchanges: ExchangeTraces;
  close(): Promise<void>;
}

export function openTraces(url: string, registry: Registry, log: Log): OpenTraces {
  const exporter = new SpanExporter({
    poster: makePoster(url),
    after(ms, then) {
      const timer = setTimeout(then, ms).unref();
      return { cancel: () => clearTimeout(timer) };
    },
    onTrouble: (reason) => log.warn({ receiver: url, reason }, "traces are not delivered"),
    onRecovery: () => log.info({ receiver: url }, "traces are delivered again"),
    resource: {
      "service.name": "sallyport",
      "service.version": VERSION,
      "service.instance.id": randomUUID(),
    },
  });
  registry.reading("counter", "sallyport_trace_spans_exported_total", "Spans that were delivered.", [], () => [
    [exporter.exported],
  ]);
  registry.reading("counter", "sallyport_trace_spans_dropped_total", "Spans that were not, and why.", ["reason"], () =>
    Object.entries(exporter.dropped).map(([reason, count]) => [count, reason]),
  );
  registry.gauge("sallyport_trace_spans_queued", "Spans that wait to be delivered.", () => exporter.queued);
  return { exchanges: new ExchangeTraces((span) => exporter.push(span)), close: () => exporter.close() };
}
