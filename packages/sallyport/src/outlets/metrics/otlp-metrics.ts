/**
 * Metrics as OTLP/HTTP JSON (opentelemetry-proto, metrics/v1): the same names and labels as in Prometheus' text, without
 * the suffix `_total`, which a collector adds again. Counters and histograms are cumulative since the gateway started, so
 * that an export that is lost loses nothing.
 */
import type { FamilyHead } from "./family.ts";
import type { MetricFamily } from "./registry.ts";
import { Histogram } from "./series.ts";
import type { Written } from "./text-format.ts";

/** `AGGREGATION_TEMPORALITY_CUMULATIVE`. */
const CUMULATIVE = 2;
const UNITS = [
  [/_seconds$/, "s"],
  [/_bytes$/, "By"],
  [/_ratio$/, "1"],
] as const;

/** Epoch ms: of the start of the gateway, and of this export. */
export interface ExportTimes {
  readonly startedAt: number;
  readonly at: number;
}

/** One `Metric` of the protocol as JSON text. */
export function otlpMetric({ head, written }: MetricFamily, times: ExportTimes): string {
  const name = head.name.replace(/_total$/, "");
  const unit = UNITS.find(([suffix]) => suffix.test(name))?.[1];
  const about = { name, description: head.help, ...(unit && { unit }) };
  if (head.type === "histogram") {
    const dataPoints = written.map((one) => histogramPoint(head, one, times));
    return JSON.stringify({ ...about, histogram: { dataPoints, aggregationTemporality: CUMULATIVE } });
  }
  const dataPoints = written.map((one) => numberPoint(head, one, times));
  if (head.type === "gauge") return JSON.stringify({ ...about, gauge: { dataPoints } });
  return JSON.stringify({ ...about, sum: { dataPoints, aggregationTemporality: CUMULATIVE, isMonotonic: true } });
}

function numberPoint(head: FamilyHead, { values, value }: Written, times: ExportTimes): object {
  // JSON has no infinity. The protocol allows a point without a value.
  const asDouble = typeof value === "number" && Number.isFinite(value) ? { asDouble: value } : {};
  return { ...pointOf(head, values, times), ...asDouble };
}

function histogramPoint(head: FamilyHead, { values, value }: Written, times: ExportTimes): object {
  if (!(value instanceof Histogram)) throw new TypeError(`${head.name} is no histogram`);
  const { bounds, counts, sum } = value;
  return {
    ...pointOf(head, values, times),
    count: String(counts.reduce((all, one) => all + one, 0)),
    sum,
    bucketCounts: counts.map(String),
    explicitBounds: bounds,
  };
}

function pointOf({ type, labels }: FamilyHead, values: readonly string[], { startedAt, at }: ExportTimes): object {
  return {
    attributes: labels.map((key, i) => ({ key, value: { stringValue: values[i] ?? "" } })),
    ...(type === "gauge" ? {} : { startTimeUnixNano: nanoOf(startedAt) }),
    timeUnixNano: nanoOf(at),
  };
}

/** Whole milliseconds as the text of a 64-bit number. */
function nanoOf(epochMs: number): string {
  return `${Math.round(epochMs)}000000`;
}
