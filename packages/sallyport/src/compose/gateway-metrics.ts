/** The program's metrics by name: what is counted when exchanges end, and what is read from the parts on demand. */
import type { ByteBudget } from "../dataplane/byte-budget.ts";
import type { LiveExchanges } from "../dataplane/live-exchanges.ts";
import type { UpstreamPools } from "../dataplane/upstream/pool.ts";
import type { UnrecordedRequests } from "../audit/unrecorded.ts";
import { ExchangeMetrics } from "../outlets/metrics/exchange-metrics.ts";
import { nameProcessMetrics } from "../outlets/metrics/process-metrics.ts";
import { Registry } from "../outlets/metrics/registry.ts";
import { VERSION } from "../version.ts";
import type { Core } from "./core.ts";

export interface DataPlaneParts {
  readonly live: LiveExchanges;
  readonly pools: UpstreamPools;
  readonly budget: ByteBudget;
  readonly unrecorded: UnrecordedRequests;
}

export interface GatewayMetrics {
  readonly registry: Registry;
  readonly exchanges: ExchangeMetrics;
  nameDataPlane(parts: DataPlaneParts): void;
  /** The text for an administrator of the environments that are shown. */
  write(isShown: (environment: string) => boolean): string;
  close(): void;
}

export function makeGatewayMetrics(core: Core): GatewayMetrics {
  const registry = new Registry();
  const exchanges = new ExchangeMetrics(registry);
  nameCore(registry, core);
  const measured = nameProcessMetrics(registry, VERSION);
  return {
    registry,
    exchanges,
    nameDataPlane: (parts) => nameDataPlane(registry, parts),
    write: (isShown) => registry.write({ label: "environment", isShown }),
    close: () => measured.close(),
  };
}

function nameDataPlane(registry: Registry, { live, pools, budget, unrecorded }: DataPlaneParts): void {
  registry.reading(
    "counter",
    "sallyport_unrecorded_requests_total",
    "Requests that were served without a record, as policy says.",
    [],
    () => [[unrecorded.total]],
  );
  registry.gauge("sallyport_running_exchanges", "Requests that are forwarded now.", () => live.size - pools.waiting);
  registry.gauge("sallyport_waiting_exchanges", "Requests that wait for their turn.", () => pools.waiting);
  registry.gauge("sallyport_held_bytes", "Bytes of request bodies held in memory.", () => budget.held);
  registry.gauge(
    "sallyport_held_bytes_limit",
    "Most bytes of request bodies held at the same time.",
    () => budget.most,
  );
  const labels = ["environment", "upstream"];
  registry.reading("gauge", "sallyport_upstream_running", "Requests an upstream works on now.", labels, () =>
    pools.all().map(({ running, environment, spec }) => [running, environment, spec.id]),
  );
  registry.reading(
    "gauge",
    "sallyport_upstream_fit",
    "1 while an upstream is chosen for requests, else 0.",
    labels,
    () => pools.all().map(({ health, environment, spec }) => [health.fitness === "up" ? 1 : 0, environment, spec.id]),
  );
  registry.reading(
    "gauge",
    "sallyport_upstream_waiting",
    "Requests that wait for a slot of a model.",
    ["environment"],
    () => pools.waitingByEnvironment(),
  );
}

function nameCore(registry: Registry, { store, keys, snapshot, rebuiltViews }: Core): void {
  registry.gauge(
    "sallyport_policy_epoch",
    "Number of the present policy; grows with each change.",
    () => snapshot().epoch,
  );
  registry.gauge("sallyport_keys", "Keys that are stored, whatever their state.", () => keys.size);
  registry.gauge("sallyport_ledger_writable", "1 while records can be written, else 0.", () =>
    store.isWritable() ? 1 : 0,
  );
  registry.gauge(
    "sallyport_ledger_pending_lines",
    "Records that wait to be on disk.",
    () => store.figures().pendingLines,
  );
  registry.gauge(
    "sallyport_ledger_pending_bytes",
    "Bytes of records that wait to be on disk.",
    () => store.figures().pendingBytes,
  );
  registry.gauge(
    "sallyport_ledger_lag_seconds",
    "How long the oldest record that waits has waited.",
    () => store.figures().oldestPendingMs / 1000,
  );
  registry.gauge(
    "sallyport_ledger_last_commit_seconds",
    "Duration of the last commit.",
    () => store.figures().lastCommitMs / 1000,
  );
  const counter = (name: string, help: string, read: () => number): void =>
    registry.reading("counter", name, help, [], () => [[read()]]);
  counter(
    "sallyport_views_rebuilt_total",
    "Tables in memory that could not apply a change and were rebuilt.",
    rebuiltViews,
  );
  counter("sallyport_ledger_commits_total", "Commits since the start.", () => store.figures().commits);
  counter(
    "sallyport_ledger_commit_seconds_total",
    "Duration of all commits since the start.",
    () => store.figures().commitMs / 1000,
  );
  counter(
    "sallyport_ledger_refused_lines_total",
    "Records that could not be written.",
    () => store.figures().refusedLines,
  );
  counter(
    "sallyport_ledger_records_total",
    "Records since the beginning of the audit log.",
    () => store.figures().records,
  );
}
