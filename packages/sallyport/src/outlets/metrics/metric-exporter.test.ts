import { expect, test } from "vitest";
import { MetricExporter } from "./metric-exporter.ts";
import { otlpMetric } from "./otlp-metrics.ts";
import { Registry } from "./registry.ts";

const times = { startedAt: 1_000, at: 61_000 };
const [startTimeUnixNano, timeUnixNano] = ["1000000000", "61000000000"];

function metricsOf(registry: Registry): unknown[] {
  return [...registry.families()].map((family) => JSON.parse(otlpMetric(family, times)));
}

test("counters, gauges and histograms are what the protocol calls them", () => {
  const registry = new Registry();
  registry.counter("a_requests_total", "Requests.", "environment").at("dev").value = 3;
  registry.gauge("a_size_bytes", "Size.", () => Infinity);
  const seconds = registry.histogram("a_wait_seconds", "Waits.", [1, 5]).at();
  for (const value of [0.5, 2, 2, 9]) seconds.observe(value);
  registry.counter("a_never_total", "Never.", "code");
  const attributes = [{ key: "environment", value: { stringValue: "dev" } }];
  expect(metricsOf(registry)).toEqual([
    {
      name: "a_requests",
      description: "Requests.",
      sum: {
        dataPoints: [{ attributes, startTimeUnixNano, timeUnixNano, asDouble: 3 }],
        aggregationTemporality: 2,
        isMonotonic: true,
      },
    },
    { name: "a_size_bytes", description: "Size.", unit: "By", gauge: { dataPoints: [{ attributes: [], timeUnixNano }] } },
    {
      name: "a_wait_seconds",
      description: "Waits.",
      unit: "s",
      histogram: {
        dataPoints: [
          {
            attributes: [],
            startTimeUnixNano,
            timeUnixNano,
            count: "4",
            sum: 13.5,
            bucketCounts: ["1", "2", "1"],
            explicitBounds: [1, 5],
          },
        ],
        aggregationTemporality: 2,
      },
    },
  ]); // prettier-ignore
});

test("one export at a time; trouble is told once, and once that it is over; the last export is at the end", async () => {
  const registry = new Registry();
  registry.gauge("a_size", "Size.", () => 1);
  const told: string[] = [];
  const posted: string[] = [];
  let answer = (): Promise<{ status: number; text: string }> => Promise.reject(new Error("refused"));
  let tick = (): void => {};
  const exporter = new MetricExporter(
    {
      registry,
      poster: { post: (text) => (posted.push(text), answer()), close: () => told.push("closed") },
      now: () => 5,
      every: (ms, then) => ((tick = then), { cancel: () => told.push(`cancelled ${ms}`) }),
      onTrouble: (reason) => told.push(reason),
      onRecovery: () => told.push("recovered"),
      resource: { "service.name": "sallyport" },
    },
    60_000,
  );
  await exporter.export();
  answer = () => Promise.resolve({ status: 503, text: "" });
  await exporter.export();
  let release = (): void => {};
  answer = () => new Promise((resolve) => (release = () => resolve({ status: 200, text: "{}" })));
  tick();
  tick();
  while (posted.length < 3) await new Promise((resolve) => setImmediate(resolve));
  release();
  await exporter.export();
  answer = () => Promise.resolve({ status: 200, text: "{}" });
  await exporter.close();
  expect(told).toEqual(["Error: refused", "recovered", "cancelled 60000", "closed"]);
  expect([exporter.exported, exporter.failed, posted.length]).toEqual([2, 2, 4]);
  const attributes = [{ key: "service.name", value: { stringValue: "sallyport" } }];
  const metrics = [expect.objectContaining({ name: "a_size" })];
  const scopeMetrics = [{ scope: { name: "sallyport" }, metrics }];
  expect(JSON.parse(posted[0]!)).toEqual({ resourceMetrics: [{ resource: { attributes }, scopeMetrics }] });
});
