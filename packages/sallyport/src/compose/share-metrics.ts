/**
 * Metrics of shares: who got how much of the model servers lately, who waits, how fair that is. Labels are bounded: the
 * twenty largest users and models have a series each, the rest one together.
 */
import { modelsOf } from "../dataplane/activity.ts";
import type { UpstreamPools } from "../dataplane/upstream/pool.ts";
import type { AttainedService } from "../limits/attained-service.ts";
import type { QuotaBook } from "../limits/quota-book.ts";
import type { TokenEstimates } from "../limits/token-estimates.ts";
import type { Registry } from "../outlets/metrics/registry.ts";

export interface ShareParts {
  readonly attained: AttainedService;
  readonly pools: UpstreamPools;
  readonly book: QuotaBook;
  readonly tokens: TokenEstimates;
  /** Monotonic ms. */
  readonly now: () => number;
}

const LARGEST = 20;

export function nameShareMetrics(registry: Registry, { attained, pools, book, tokens, now }: ShareParts): void {
  const users = ["environment", "principal"];
  const eachUser = (valueOf: (row: ReturnType<AttainedService["of"]>[number]) => number) => () =>
    attained
      .environments()
      .flatMap((environment) =>
        attained.of(environment, LARGEST, now()).map((row) => [valueOf(row), environment, row.principal] as const),
      );
  registry.reading(
    "gauge",
    "sallyport_user_compute_seconds",
    "Time of model servers that a user got in the last five to ten minutes; the 20 largest and the rest.",
    users,
    eachUser(({ computeMs }) => computeMs / 1_000),
  );
  registry.reading(
    "gauge",
    "sallyport_user_wait_seconds",
    "Mean wait for a slot of a user's requests in the last five to ten minutes.",
    users,
    eachUser(({ queueMs, requests }) => queueMs / requests / 1_000),
  );
  registry.reading(
    "gauge",
    "sallyport_fairness_jain_index",
    "Jain's index over the users of the last five to ten minutes: 1 where all got the same.",
    ["environment"],
    () => attained.environments().map((environment) => [attained.jainIndex(environment, now()), environment] as const),
  );
  const eachModel = (valueOf: (row: ReturnType<typeof modelsOf>[number]) => number) => () =>
    [...new Set(pools.all().map(({ environment }) => environment))].flatMap((environment) =>
      modelsOf(environment, pools)
        .slice(0, LARGEST)
        .map((row) => [valueOf(row), environment, row.model] as const),
    );
  const models = ["environment", "model"];
  registry.reading(
    "gauge",
    "sallyport_model_waiting",
    "Requests that wait for a slot of a model.",
    models,
    eachModel(({ waiting }) => waiting),
  );
  registry.reading(
    "gauge",
    "sallyport_model_slots",
    "Requests of a model that run at the same time, as policy says or as learned.",
    models,
    eachModel(({ slots }) => slots),
  );
  registry.reading(
    "gauge",
    "sallyport_service_prediction_error_ratio",
    "Mean error of predicted service times, as a part of the actual ones.",
    models,
    eachModel(({ predictionError }) => predictionError),
  );
  registry.reading(
    "gauge",
    "sallyport_token_estimate_error_ratio",
    "Mean error of estimated input tokens, as a part of the reported ones.",
    models,
    () =>
      [...tokens.errors()].slice(0, LARGEST).map(([environment, model, error]) => [error, environment, model] as const),
  );
  registry.gauge("sallyport_open_budget_leases", "Requests that hold a part of a budget now.", () => book.open);
}
