/** What runs and waits in an environment right now, for people who look. Nothing is decided by it. */
import type { AttainedService } from "../limits/attained-service.ts";
import type { EnvironmentActivity, ModelActivity } from "../limits/environment-activity.ts";
import type { QuotaBook } from "../limits/quota-book.ts";
import type { Exchange } from "./exchange.ts";
import type { LiveExchanges } from "./live-exchanges.ts";
import type { UpstreamPools } from "./upstream/pool.ts";

export interface ActivityPorts {
  readonly live: LiveExchanges;
  readonly pools: UpstreamPools;
  readonly attained: AttainedService;
  readonly book: QuotaBook;
  /** Monotonic ms. */
  readonly now: () => number;
}

const REQUESTS_MAX = 100;
const USERS_MAX = 20;
const MODELS_MAX = 50;
const BUDGETS_MAX = 50;

export function activityOf(
  environment: string,
  { live, pools, attained, book, now }: ActivityPorts,
): EnvironmentActivity {
  const nowMs = now();
  const running = new Map<string, number>();
  const waiting = new Map<string, number>();
  const requests: EnvironmentActivity["requests"][number][] = [];
  for (const exchange of live.all()) {
    if (exchange.key?.environment !== environment) continue;
    const isRunning = exchange.group !== null;
    const counts = isRunning ? running : waiting;
    const principal = exchange.key.owner ?? exchange.key.id;
    counts.set(principal, (counts.get(principal) ?? 0) + 1);
    requests.push(viewOf(exchange, isRunning, nowMs));
  }
  const lately = attained.of(environment, USERS_MAX, nowMs);
  const total = lately.reduce((sum, { computeMs }) => sum + computeMs, 0);
  const known = new Set(lately.map(({ principal }) => principal));
  const newcomers = [...new Set([...running.keys(), ...waiting.keys()])]
    .filter((principal) => !known.has(principal))
    .slice(0, USERS_MAX)
    .map((principal) => ({ principal, computeMs: 0, queueMs: 0, requests: 0 }));
  return {
    jainIndex: attained.jainIndex(environment, nowMs),
    models: modelsOf(environment, pools),
    servers: pools.of(environment).map((server) => ({
      id: server.spec.id,
      running: server.running,
      fitness: server.health.fitness,
      loadedModels: server.loadedModels().slice(0, MODELS_MAX),
    })),
    users: [...lately, ...newcomers].map(({ principal, computeMs, queueMs, requests: count }) => ({
      principal,
      running: running.get(principal) ?? 0,
      waiting: waiting.get(principal) ?? 0,
      requests: count,
      computeMs: Math.round(computeMs),
      meanQueueMs: count === 0 ? 0 : Math.round(queueMs / count),
      share: total === 0 ? 0 : computeMs / total,
    })),
    requests: requests.toSorted((a, b) => b.sinceMs - a.sinceMs).slice(0, REQUESTS_MAX),
    budgets: book
      .fill()
      .filter((row) => row.environment === environment)
      .toSorted((a, b) => b.used / b.amount - a.used / a.amount)
      .slice(0, BUDGETS_MAX)
      .map(({ account, budget, used, amount, endsAt }) => ({ account, budget, used, amount, endsAt })),
  };
}

/** The busiest models of an environment. */
export function modelsOf(environment: string, pools: UpstreamPools): ModelActivity[] {
  const group = pools.groupOf(environment);
  if (!group) return [];
  return [...group.queues]
    .map(([model, queue]) => ({
      model,
      running: group.replicas.reduce((sum, replica) => sum + replica.runningOf(model), 0),
      waiting: queue.waiting,
      slots: group.slotsOf(model),
      meanServiceMs: Math.round(queue.times.meanMs),
      predictionError: queue.times.errorRatio,
    }))
    .toSorted((a, b) => b.waiting - a.waiting || b.running - a.running || b.meanServiceMs - a.meanServiceMs)
    .slice(0, MODELS_MAX);
}

function viewOf(exchange: Exchange, isRunning: boolean, nowMs: number): EnvironmentActivity["requests"][number] {
  const { id, key, endpoint, understood, upstream, startedMs, turnMs, sentBytes } = exchange;
  return {
    id,
    key: key!.id,
    principal: key!.owner,
    endpoint: endpoint!.id,
    model: understood?.model?.key ?? null,
    state: isRunning ? "running" : "waiting",
    server: isRunning ? (upstream?.spec.id ?? null) : null,
    sinceMs: Math.max(0, Math.round(nowMs - (isRunning ? turnMs : startedMs))),
    sentBytes,
  };
}
