/** Reports of use: the writer counts what was recorded, then the thread that reads the audit log sums. */
import { dayOf } from "../usage/usage-row.ts";
import type { Clock } from "../kernel/clock.ts";
import type { AuditLink } from "../store/search/audit-link.ts";
import type { Store } from "../store/ports.ts";
import type { RebuildProgress, UsageReports } from "../usage/usage-report.ts";

interface UsagePorts {
  readonly clock: Pick<Clock, "now">;
  readonly store: Pick<Store, "countUsage" | "figures">;
  readonly audit: Pick<AuditLink, "usage" | "requestsOf" | "recountUsage">;
}

export function makeUsageReports({ clock, store, audit }: UsagePorts): UsageReports {
  let progress: RebuildProgress | null = null;
  /** Those that ask at the same time are answered by one write. */
  let counting: Promise<boolean> | null = null;
  let nextCounting: Promise<boolean> | null = null;

  /** Resolves when everything is counted that was recorded before the call. */
  function counted(): Promise<boolean> {
    if (!counting) return (counting = store.countUsage().finally(() => (counting = null)));
    nextCounting ??= counting.then(() => {
      nextCounting = null;
      return counted();
    });
    return nextCounting;
  }

  async function rebuild(total: number): Promise<void> {
    // Where the database cannot be written, what is stored is counted up to an earlier record, which is as good.
    await counted();
    const findings = await audit.recountUsage(dayOf(clock.now()), (records) => {
      progress = { records, total, rebuilt: null, failure: null };
    });
    const { records, firstDay, corrections } = findings;
    const corrected = corrections.usage.length + corrections.permissions.length;
    if (corrected > 0 && !(await store.countUsage(corrections)))
      throw new Error("the corrected counters could not be written");
    progress = { records, total, rebuilt: { records, firstDay, corrected }, failure: null };
  }

  return {
    async report(question) {
      await counted();
      return audit.usage(question);
    },
    async requestsOf(keys, from, to) {
      if (keys.length === 0) return [];
      await counted();
      return audit.requestsOf(keys, from, to);
    },
    rebuild() {
      if (progress && !progress.rebuilt && progress.failure === null) return;
      const total = store.figures().records;
      progress = { records: 0, total, rebuilt: null, failure: null };
      rebuild(total).catch((cause: unknown) => {
        progress = {
          records: 0,
          total,
          rebuilt: null,
          failure: cause instanceof Error ? cause.message : String(cause),
        };
      });
    },
    rebuildProgress: () => progress,
  };
}
