/**
 * Which permissions keys used, by the ledger's intents, newest first: as far back as asked, as intents name permissions,
 * and as some seconds of looking go. A line is looked at by its beginning; what is damaged is for `verify` to find.
 */
import { setImmediate as turn } from "node:timers/promises";
import type { AuditUses } from "../../audit/audit-log.ts";
import type { LedgerWalk } from "./ledger-walk.ts";

export interface UseBounds {
  /** Epoch ms. */
  readonly since: number;
  readonly until: number;
}

const PATIENCE_MS = 10_000;
/** Others ask the same thread. */
const LINES_PER_TURN = 2_000;
/** Clocks are set back now and then. */
const CLOCK_SLACK_MS = 3_600_000;

const HEAD =
  /^\{"seq":\d+,"prev":"[0-9a-f]{64}","type":"([a-z_.]+)","at":(\d+),"environment":"([a-z0-9]+)","actor":"([^"]+)"/;
/** A quote inside a text is escaped, so this stands nowhere else in a line. */
const PERMISSIONS = '"permissions":[';
const INTENTS = new Set(["request.intent", "model.intent"]);

export async function surveyUses(
  walk: LedgerWalk,
  { since, until }: UseBounds,
  elapsedMs: () => number = stopwatch(),
): Promise<AuditUses> {
  const counts = new Map<string, number>();
  let from = until;
  let lines = 0;
  for (const line of walk.newestFirst({ after: 0, since, until })) {
    if (++lines % LINES_PER_TURN === 0) {
      if (elapsedMs() > PATIENCE_MS) break;
      await turn();
    }
    const [, type = "", time, environment = "", actor = ""] = HEAD.exec(line) ?? [];
    const at = Number(time ?? Number.NaN);
    if (Number.isNaN(at) || at > until) continue;
    if (at < since - CLOCK_SLACK_MS) break;
    from = Math.max(since, Math.min(from, at));
    if (!INTENTS.has(type)) continue;
    const named = listIn(line);
    // Written by a version that did not say: from here on back nothing is known.
    if (named === undefined) break;
    for (const permission of named.split(",")) {
      const name = `${environment} ${actor.slice("key:".length)} ${permission.slice(1, -1)}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  const uses = [...counts].map(([name, count]) => {
    const [environment = "", key = "", permission = ""] = name.split(" ");
    return { environment, key, permission, count };
  });
  return { from, uses };
}

/** What stands between the brackets; undefined where the record names no permissions. */
function listIn(line: string): string | undefined {
  const start = line.indexOf(PERMISSIONS);
  const end = start < 0 ? -1 : line.indexOf("]", start);
  return end < 0 ? undefined : line.slice(start + PERMISSIONS.length, end);
}

function stopwatch(): () => number {
  const begun = performance.now();
  return () => performance.now() - begun;
}
