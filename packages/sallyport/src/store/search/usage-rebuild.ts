/**
 * Counts use again from the audit log, and finds where the stored counters differ. A day is counted again only if the
 * log still has all of its records; the counters of earlier days are all that is left of them.
 */
import { setImmediate as turn } from "node:timers/promises";
import { parseKept } from "@sallyport/ledger";
import { usageDifference } from "../../usage/usage-difference.ts";
import type { UsageCorrection } from "../../usage/usage-difference.ts";
import { UsageFold } from "../../usage/usage-fold.ts";
import { readUsage } from "../../usage/usage-record.ts";
import { dayOf, USAGE_DAYS } from "../../usage/usage-row.ts";
import type { UsageRow } from "../../usage/usage-row.ts";
import { readCounter } from "../disk/schema.ts";
import type { SqlDatabase } from "../disk/sqlite.ts";
import { seqOfLine } from "../ledger/segment-file.ts";
import { storedUsage } from "../state/usage-rows.ts";
import type { LedgerWalk } from "./ledger-walk.ts";

export interface RebuildFindings {
  readonly records: number;
  readonly firstDay: number | null;
  readonly corrections: readonly UsageCorrection[];
}

const LINES_PER_TURN = 2_000;
const AT = /"at":(\d{1,15}),/;

/** `today` in days. */
export async function recountUsage(
  database: SqlDatabase,
  walk: LedgerWalk,
  today: number,
  onProgress: (records: number) => void,
): Promise<RebuildFindings> {
  const { through, stored } = readStored(database, today);
  const fold = new UsageFold();
  /** The first day of which nothing is missing. */
  let firstDay = today - USAGE_DAYS + 1;
  let oldestDay: number | null = null;
  let lastDay = -Infinity;
  let previous = 0;
  let isAfterGap = false;
  let records = 0;
  for (const kept of walk.oldestFirst({ after: 0, before: through + 1, since: -Infinity, until: Infinity })) {
    const { line } = parseKept(kept);
    const seq = seqOfLine(line);
    if (seq === undefined) continue;
    if (seq > through) break;
    const time = AT.exec(line)?.[1];
    isAfterGap ||= seq !== previous + 1 || time === undefined;
    previous = seq;
    if (time !== undefined) {
      const day = dayOf(Number(time));
      oldestDay ??= day;
      lastDay = Math.max(lastDay, day);
      // The newest of the missing records may be of the same day as the record after them.
      if (isAfterGap) firstDay = Math.max(firstDay, lastDay + 1);
      isAfterGap = false;
    }
    const increment = readUsage(line);
    if (increment && increment.day >= firstDay) fold.add(increment);
    if (++records % LINES_PER_TURN !== 0) continue;
    onProgress(records);
    await turn();
  }
  if (oldestDay === null || firstDay > today) return { records, firstDay: null, corrections: [] };
  const isCovered = ({ day }: UsageRow): boolean => day >= firstDay;
  return {
    records,
    firstDay: Math.max(firstDay, oldestDay),
    corrections: usageDifference(stored.filter(isCovered), [...fold.rows()].filter(isCovered)),
  };
}

/** The stored counters and the last record that is in them, as of one moment. */
function readStored(database: SqlDatabase, today: number): { through: number; stored: readonly UsageRow[] } {
  database.exec("BEGIN");
  try {
    const through = readCounter(database, "usage_through");
    return { through, stored: [...storedUsage(database, today - USAGE_DAYS + 1)] };
  } finally {
    database.exec("COMMIT");
  }
}
