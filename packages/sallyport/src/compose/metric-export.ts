/** The export of metrics, joined; loaded only where the environment asks for it. */
import { randomUUID } from "node:crypto";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import { makePoster } from "../kernel/post-json.ts";
import { MetricExporter } from "../outlets/metrics/metric-exporter.ts";
import type { Registry } from "../outlets/metrics/registry.ts";
import { VERSION } from "../version.ts";

export interface MetricExportPlace {
  /** Of the OTLP/HTTP receiver, path included. */
  readonly url: string;
  readonly intervalMs: number;
}

export function openMetricExport(
  { url, intervalMs }: MetricExportPlace,
  registry: Registry,
  clock: Pick<Clock, "now">,
  log: Log,
): MetricExporter {
  const exporter = new MetricExporter(
    {
      registry,
      poster: makePoster(url),
      now: () => clock.now(),
      every(ms, then) {
        const timer = setInterval(then, ms).unref();
        return { cancel: () => clearInterval(timer) };
      },
      onTrouble: (reason) => log.warn({ receiver: url, reason }, "metrics are not delivered"),
      onRecovery: () => log.info({ receiver: url }, "metrics are delivered again"),
      resource: { "service.name": "sallyport", "service.version": VERSION, "service.instance.id": randomUUID() },
    },
    intervalMs,
  );
  registry.reading("counter", "sallyport_metric_exports_total", "Exports of metrics, by result.", ["result"], () => [
    [exporter.exported, "delivered"],
    [exporter.failed, "failed"],
  ]);
  return exporter;
}
