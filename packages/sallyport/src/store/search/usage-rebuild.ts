/**
 * Counts use again from the audit log, and finds where the stored counters differ. A day is counted again only if the
 * log still has all of its records; the counters of earlier days are all that is left of them.
 */
import { setImmediate as turn } from "node:timers/promises";
import { parseKept } from "@sallyport/ledger";
import { PermissionUseFold } from "../../usage/permission-use-fold.ts";
import { permissionUseDifference } from "../../usage/permission-use-difference.ts";
import type { PermissionUseRow } from "../../usage/permission-use.ts";
import { readDemand } from "../../usage/recorded-demand.ts";
import { NO_CORRECTIONS, usageDifference } from "../../usage/usage-difference.ts";
import type { UsageCorrections } from "../../usage/usage-difference.ts";
import { UsageFold } from "../../usage/usage-fold.ts";
import { readUsage } from "../../usage/usage-record.ts";
import { dayOf, USAGE_DAYS } from "../../usage/usage-row.ts";
import type { UsageRow } from "../../usage/usage-row.ts";
import { readCounter } from "../disk/schema.ts";
import type { SqlDatabase } from "../disk/sqlite.ts";
import { seqOfLine } from "../ledger/segment-file.ts";
import { storedPermissionUses } from "../state/permission-use-rows.ts";
import { storedUsage } from "../state/usage-rows.ts";
import type { LedgerWalk } from "./ledger-walk.ts";

export interface RebuildFindings {
  readonly records: number;
  readonly firstDay: number | null;
  readonly corrections: UsageCorrections;
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
  const { through, stored, storedPermissions } = readStored(database, today);
  const fold = new UsageFold();
  const permissions = new PermissionUseFold();
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
    const demand = readDemand(line);
    if (demand && dayOf(demand.at) >= firstDay) permissions.add(demand);
    if (++records % LINES_PER_TURN !== 0) continue;
    onProgress(records);
    await turn();
  }
  if (oldestDay === null || firstDay > today) return { records, firstDay: null, corrections: NO_CORRECTIONS };
  const isCovered = ({ day }: Pick<UsageRow, "day">): boolean => day >= firstDay;
  return {
    records,
    firstDay: Math.max(firstDay, oldestDay),
    corrections: {
      usage: usageDifference(stored.filter(isCovered), [...fold.rows()].filter(isCovered)),
      permissions: permissionUseDifference(
        storedPermissions.filter(isCovered),
        [...permissions.rows()].filter(isCovered),
      ),
    },
  };
}

/** The stored counters and the last record that is in them, as of one moment. */
function readStored(
  database: SqlDatabase,
  today: number,
): {
  readonly through: number;
  readonly stored: readonly UsageRow[];
  readonly storedPermissions: readonly PermissionUseRow[];
} {
  database.exec("BEGIN");
  try {
    const through = readCounter(database, "usage_through");
    const firstDay = today - USAGE_DAYS + 1;
    return {
      through,
      stored: [...storedUsage(database, firstDay)],
      storedPermissions: [...storedPermissionUses(database, firstDay)],
    };
  } finally {
    database.exec("COMMIT");
  }
}
