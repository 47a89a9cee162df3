/**
 * What has to be added to stored counters to make them those of a rebuild. Differences are added, not written over, so
 * that what is counted while the rebuild runs stays.
 */
import type { PermissionUseRow } from "./permission-use.ts";
import { subjectText, usageCounters } from "./usage-row.ts";
import type { UsageCounts, UsageRow } from "./usage-row.ts";

/** Counters may be negative; the times are those that the row shall have. */
export type UsageCorrection = UsageRow;

/** What a rebuild found. */
export interface UsageCorrections {
  readonly usage: readonly UsageCorrection[];
  readonly permissions: readonly PermissionUseRow[];
}

export const NO_CORRECTIONS: UsageCorrections = { usage: [], permissions: [] };

/** One correction for each row that differs. */
export function usageDifference(stored: Iterable<UsageRow>, rebuilt: Iterable<UsageRow>): readonly UsageCorrection[] {
  const storedByName = new Map<string, UsageRow>();
  for (const row of stored) storedByName.set(subjectText(row), row);
  const corrections: UsageCorrection[] = [];
  for (const row of rebuilt) {
    const name = subjectText(row);
    const before = storedByName.get(name);
    storedByName.delete(name);
    if (!before) corrections.push(row);
    else if (!isEqual(before, row)) corrections.push({ ...row, ...minus(row, before) });
  }
  for (const row of storedByName.values()) {
    if (usageCounters.some((counter) => row[counter] !== 0)) corrections.push({ ...row, ...minus(ZERO, row) });
  }
  return corrections;
}

const ZERO = Object.fromEntries(usageCounters.map((counter) => [counter, 0])) as unknown as UsageCounts;

function isEqual(a: UsageCounts, b: UsageCounts): boolean {
  return (
    a.firstAt === b.firstAt && a.lastAt === b.lastAt && usageCounters.every((counter) => a[counter] === b[counter])
  );
}

function minus(a: UsageCounts, b: UsageCounts): Pick<UsageCounts, (typeof usageCounters)[number]> {
  return Object.fromEntries(usageCounters.map((counter) => [counter, a[counter] - b[counter]])) as unknown as Pick<
    UsageCounts,
    (typeof usageCounters)[number]
  >;
}
