/** From the limits that bind a key to the budgets that bind one of its requests, by the model it asks for. */
import { budgetNames, matchesModel } from "@sallyport/protocol";
import type { ModelName, ModelSelector } from "@sallyport/protocol";
import type { Limits } from "../access/policy.ts";
import { RATE_WINDOW_MAX_MS } from "./key-limits.ts";
import type { QuotaBound } from "./quota.ts";

interface Row {
  readonly origin: string;
  readonly account: string | null;
  readonly selector: ModelSelector | null;
  readonly limits: Limits;
}

/** `key` names the key whose own budgets are counted apart. */
export function quotaBoundsOf(rows: readonly Row[], key: string, model: ModelName | null, zone: string): QuotaBound[] {
  const bounds: QuotaBound[] = [];
  for (const { origin, account: owner, selector, limits } of rows) {
    if (selector !== null && (model === null || !matchesModel(selector, model))) continue;
    const account = `${owner ?? key} ${origin}`;
    const { requests } = limits;
    if (requests && (selector !== null || requests.windowMs > RATE_WINDOW_MAX_MS))
      bounds.push({
        account,
        name: "requests",
        amount: requests.count,
        windowMs: requests.windowMs,
        zone,
        isSoft: false,
      });
    for (const name of budgetNames) {
      const budget = limits[name];
      if (budget) bounds.push({ account, name, ...budget, zone, isSoft: limits.soft?.includes(name) ?? false });
    }
  }
  return bounds;
}
