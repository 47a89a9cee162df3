/** Sums of the usage counters, as reports ask for them: port to the store. */
import type { UsageCounts } from "./usage-row.ts";

/** What a report has a row for each of. */
export const usageGroups = ["key", "principal", "team", "model", "environment", "day"] as const;
export type UsageGroup = (typeof usageGroups)[number];

/** Which counters are summed. Everything that is present has to match. */
export interface UsageScope {
  /** Days since 1970-01-01, UTC, both inclusive. */
  readonly from: number;
  readonly to: number;
  readonly environment?: string;
  /** Any of these, in addition to `environment`. */
  readonly environments?: readonly string[];
  readonly key?: string;
  readonly principal?: string;
  readonly team?: string;
  readonly model?: string;
}

export interface UsageQuestion extends UsageScope {
  /** Rows for each combination of these. */
  readonly by: readonly UsageGroup[];
  /** `next` of the page before. */
  readonly after?: string;
  readonly limit: number;
}

/** Has the members it was grouped by; a key has its environment and owner, too. An empty text stands for no value. */
export interface UsageSum extends UsageCounts {
  readonly day?: number;
  readonly environment?: string;
  readonly key?: string;
  readonly principal?: string;
  readonly team?: string;
  readonly model?: string;
  /** Denied requests by the code of the denial. */
  readonly codes: Readonly<Record<string, number>>;
}

export interface UsagePage {
  readonly rows: readonly UsageSum[];
  readonly next: string | null;
  /** The first day of the scope that has counters; null without any. */
  readonly firstDay: number | null;
}

export interface KeyName {
  readonly environment: string;
  readonly id: string;
}

/** How a rebuild went. */
export interface UsageRebuilt {
  /** Records that were read. */
  readonly records: number;
  /** The first day that the audit log still covers; null if it covers no whole day. Earlier days were left as they are. */
  readonly firstDay: number | null;
  /** Rows whose counters differed, and were corrected. */
  readonly corrected: number;
}

export interface RebuildProgress {
  readonly records: number;
  /** Records of the audit log when the rebuild began. */
  readonly total: number;
  /** Null while it runs, and if it failed. */
  readonly rebuilt: UsageRebuilt | null;
  /** Why it failed; null while it runs, and if it did not fail. */
  readonly failure: string | null;
}

export interface UsageReports {
  /** Includes everything that is on disk when it is called. */
  report(question: UsageQuestion): Promise<UsagePage>;
  /** Admitted requests of each of the keys, in their order, day by day; days are inclusive. */
  requestsOf(keys: readonly KeyName[], from: number, to: number): Promise<readonly (readonly number[])[]>;
  /** Begins a rebuild from the audit log, unless one runs. */
  rebuild(): void;
  /** Of the newest rebuild since the start; null without one. */
  rebuildProgress(): RebuildProgress | null;
}
