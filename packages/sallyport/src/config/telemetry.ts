/**
 * Where traces and metrics are sent: to the receiver of our own setting, else to that of OpenTelemetry's standard variable,
 * which alone turns nothing on, because many machines set it for other programs. Metrics are sent where the standard
 * variable `OTEL_METRICS_EXPORTER` is `otlp`.
 */
import { isReceiver, RECEIVER_WANTED } from "./listener-address.ts";
import type { Settings } from "./settings.ts";
import type { SettingsFile } from "./settings-schema.ts";

export type Telemetry = Pick<Settings, "tracing" | "metricExport">;

type Environment = Readonly<Record<string, string | undefined>>;

const RECEIVER = "OTEL_EXPORTER_OTLP_ENDPOINT";
const METRICS_EXPORTER = "OTEL_METRICS_EXPORTER";
const METRIC_INTERVAL = "OTEL_METRIC_EXPORT_INTERVAL";
const USUAL_INTERVAL_MS = 60_000;
const LEAST_INTERVAL_MS = 1_000;

/** Each invalid value is added to `mistakes`. */
export function telemetryOf({ tracing, otlp }: SettingsFile, env: Environment, mistakes: string[]): Telemetry {
  const exporter = env[METRICS_EXPORTER] ?? "none";
  const isExporting = exporter === "otlp";
  // Other exporters are Prometheus' scrape, which is always there, and those of other programs.
  if (!tracing && !isExporting) return { tracing: null, metricExport: null };
  const receiver = otlp ?? env[RECEIVER] ?? "";
  const asked = tracing ? "tracing" : METRICS_EXPORTER;
  if (receiver === "") mistakes.push(`${asked}: needs a receiver: set otlp or ${RECEIVER}`);
  else if (!isReceiver(receiver)) mistakes.push(`${RECEIVER}: ${RECEIVER_WANTED}`);
  const base = receiver.replace(/\/{1,8}$/, "");
  return {
    tracing: tracing ? { url: `${base}/v1/traces` } : null,
    metricExport: isExporting ? { url: `${base}/v1/metrics`, intervalMs: intervalOf(env, mistakes) } : null,
  };
}

function intervalOf(env: Environment, mistakes: string[]): number {
  const text = env[METRIC_INTERVAL] ?? "";
  if (text === "") return USUAL_INTERVAL_MS;
  const intervalMs = /^[0-9]{1,9}$/.test(text) ? Number(text) : NaN;
  if (!(intervalMs >= LEAST_INTERVAL_MS)) mistakes.push(`${METRIC_INTERVAL}: is not a number of ms from 1000 on`);
  return intervalMs;
}
