/** A sum as callers see it: days and times in words, names beside ids, null where there is nothing. */
import { dayText, usageCounters } from "./usage-row.ts";
import type { UsageCounter } from "./usage-row.ts";
import type { UsageSum } from "./usage-report.ts";

/** Names of ids as they are now; undefined for what is not known any more. */
export interface UsageNames {
  readonly key: (environment: string, id: string) => string | undefined;
  readonly principal: (id: string) => string | undefined;
}

export type UsageSumView = Record<UsageCounter, number> & {
  day?: string;
  environment?: string;
  key?: string | null;
  keyName?: string | null;
  principal?: string | null;
  principalName?: string | null;
  team?: string | null;
  model?: string | null;
  codes: Record<string, number>;
  firstAt: string;
  lastAt: string;
};

export function viewUsage(sum: UsageSum, names: UsageNames): UsageSumView {
  const { day, environment, key, principal, team, model, codes, firstAt, lastAt } = sum;
  const counts = Object.fromEntries(usageCounters.map((counter) => [counter, sum[counter]])) as Record<
    UsageCounter,
    number
  >;
  return {
    ...(day === undefined ? {} : { day: dayText(day) }),
    ...(environment === undefined ? {} : { environment }),
    ...(key === undefined ? {} : { key: orNull(key), keyName: names.key(environment ?? "", key) ?? null }),
    ...(principal === undefined
      ? {}
      : { principal: orNull(principal), principalName: names.principal(principal) ?? null }),
    ...(team === undefined ? {} : { team: orNull(team) }),
    ...(model === undefined ? {} : { model: orNull(model) }),
    ...counts,
    codes: { ...codes },
    firstAt: new Date(firstAt).toISOString(),
    lastAt: new Date(lastAt).toISOString(),
  };
}

function orNull(text: string): string | null {
  return text === "" ? null : text;
}
