/** From the limits that bind a key to the budgets that bind one of its requests, by the model it asks for. */
import { budgetNames, matchesModel } from "@sallyport/protocol";
import type { ModelName } from "@sallyport/protocol";
import type { LimitRow } from "../access/limit-rows.ts";
import type { Environment } from "../access/policy.ts";
import { RATE_WINDOW_MAX_MS } from "./key-limits.ts";
import type { QuotaBound } from "./quota.ts";

/** `keyId` names the key whose own budgets are counted apart. */
export function quotaBoundsOf(
  { name: environment, quotas }: Pick<Environment, "name" | "quotas">,
  rows: readonly LimitRow[],
  keyId: string,
  model: ModelName | null,
): QuotaBound[] {
  const bounds: QuotaBound[] = [];
  const zone = quotas?.zone ?? "UTC";
  for (const { origin, account: shared, selector, limits } of rows) {
    if (selector !== null && (model === null || !matchesModel(selector, model))) continue;
    const account = shared ?? `${environment} key ${keyId} ${origin}`;
    const { requests } = limits;
    if (requests && (selector !== null || requests.windowMs > RATE_WINDOW_MAX_MS)) {
      const { count: amount, windowMs } = requests;
      bounds.push({ environment, account, name: "requests", amount, windowMs, zone, isSoft: false });
    }
    for (const name of budgetNames) {
      const budget = limits[name];
      if (budget)
        bounds.push({ environment, account, name, ...budget, zone, isSoft: limits.soft?.includes(name) ?? false });
    }
  }
  return bounds;
}
