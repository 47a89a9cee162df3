/** Limits from and to the texts in which people write them: policy files, keys, views, plans. */
import { budgetNames } from "@sallyport/protocol";
import type { BudgetName } from "@sallyport/protocol";
import {
  formatAmount,
  formatCompute,
  formatDurationMs,
  formatRate,
  parseAmount,
  parseCompute,
  parseDurationMs,
  parseRate,
} from "@sallyport/contract";
import type { LimitsView, WrittenLimits } from "@sallyport/contract";
import type { Limits, Quota } from "./policy.ts";

type Written = { readonly [K in keyof WrittenLimits]?: WrittenLimits[K] | undefined };

/** The schema has looked at the forms: a text that has none of them here is a fault. */
export function buildLimits(written: Written | undefined): Limits {
  if (written === undefined) return {};
  const { requests, concurrency, soft, weight, maxService, priority } = written;
  const budgets: Partial<Record<BudgetName, Quota>> = {};
  for (const name of budgetNames) {
    const text = written[name];
    if (text !== undefined) budgets[name] = asRead(text, name === "compute" ? parseCompute(text) : parseAmount(text));
  }
  return {
    ...(requests === undefined ? {} : { requests: asRead(requests, parseRate(requests)) }),
    ...budgets,
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(soft === undefined || soft.length === 0 ? {} : { soft: [...new Set(soft)] }),
    ...(weight === undefined ? {} : { weight }),
    ...(maxService === undefined ? {} : { maxServiceMs: asRead(maxService, parseDurationMs(maxService)) }),
    ...(priority === undefined ? {} : { priority }),
  };
}

export function viewLimits(limits: Limits): LimitsView {
  const { requests, concurrency, soft, weight, maxServiceMs, priority } = limits;
  const budgets: Partial<Record<BudgetName, string>> = {};
  for (const name of budgetNames) {
    const budget = limits[name];
    if (budget) budgets[name] = name === "compute" ? formatCompute(budget) : formatAmount(budget);
  }
  return {
    ...(requests ? { requests: formatRate(requests) } : {}),
    ...budgets,
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(soft === undefined ? {} : { soft: [...soft] }),
    ...(weight === undefined ? {} : { weight }),
    ...(maxServiceMs === undefined ? {} : { maxService: formatDurationMs(maxServiceMs) }),
    ...(priority === undefined ? {} : { priority }),
  };
}

/** One line, for plans and lists; empty without limits. */
export function limitsText(limits: Limits): string {
  return Object.entries(viewLimits(limits))
    .map(([name, value]) => `${name}=${Array.isArray(value) ? value.join("+") : String(value)}`)
    .join(" ");
}

function asRead<T>(text: string, value: T | undefined): T {
  if (value === undefined) throw new TypeError(`not a limit: ${text}`);
  return value;
}
