/**
 * What the caller used, and no other caller: a key and its tokens see that key, a user's session sees what was recorded for
 * the user in the environment of the log-in. Never forwarded.
 */
import { isRefusal, refuse } from "@sallyport/protocol";
import type { OwnUsageAnswer, OwnUsageRow, Refusal } from "@sallyport/protocol";
import type { Clock } from "../../kernel/clock.ts";
import { LongWork } from "../../kernel/long-work.ts";
import type { KeyRecord } from "../../keys/key.ts";
import type { UsageReports, UsageScope } from "../../usage/usage-report.ts";
import { dayOf, dayText, USAGE_DAYS } from "../../usage/usage-row.ts";
import type { UsageNames } from "../../usage/usage-view.ts";
import { viewUsage } from "../../usage/usage-view.ts";
import type { Stage } from "../pipeline.ts";
import { writeOwnAnswer } from "./own-answer.ts";

export interface OwnUsagePorts {
  readonly clock: Pick<Clock, "now">;
  readonly usage: Pick<UsageReports, "report">;
  readonly names: UsageNames;
}

/** Today and the 29 days before it. */
const DAYS_DEFAULT = 30;
/** Keys and models in one answer. */
const ROWS_MAX = 1_000;

export function makeOwnUsage({ clock, usage, names }: OwnUsagePorts): Stage {
  /** Callers who wait for a report: the thread that sums is shared, so each has one at a time. */
  const waiting = new Set<string>();
  return async function ownUsage(exchange) {
    const key = exchange.key!;
    const today = dayOf(clock.now());
    const from = firstDayOf(exchange.query, today);
    if (isRefusal(from)) return from;
    const scope = ownScope(key);
    const caller = JSON.stringify(scope);
    if (waiting.has(caller)) return refuse("concurrency_exceeded").with({ retryAfterSeconds: 1 });
    waiting.add(caller);
    try {
      const { rows, next } = await usage.report({ by: ["key", "model"], from, to: today, ...scope, limit: ROWS_MAX });
      const answer: OwnUsageAnswer = {
        environment: key.environment,
        since: dayText(from),
        until: dayText(today),
        rows: await new LongWork().flatMap(rows, (row) => [viewOwn(viewUsage(row, names))]),
        isTruncated: next !== null,
      };
      return writeOwnAnswer(exchange, answer);
    } finally {
      waiting.delete(caller);
    }
  };
}

function ownScope({
  environment,
  id,
  session,
  owner,
}: KeyRecord): Pick<UsageScope, "environment" | "key" | "principal"> {
  return session !== null && owner !== null ? { environment, principal: owner } : { environment, key: id };
}

/** Who owns a key is not for the key to read. */
function viewOwn(view: ReturnType<typeof viewUsage>): OwnUsageRow {
  const { principal: _principal, principalName: _name, team: _team, ...own } = view;
  return own as OwnUsageRow;
}

const QUERY = /^since=([0-9]{1,15}|[0-9]{4}-[0-9]{2}-[0-9]{2})$/;

function firstDayOf(query: string, today: number): number | Refusal {
  if (query === "") return today - DAYS_DEFAULT + 1;
  const text = QUERY.exec(query)?.[1];
  const timeMs = text === undefined ? Number.NaN : text.includes("-") ? Date.parse(text) : Number(text);
  if (Number.isNaN(timeMs))
    return refuse("field_invalid", "since is once a day such as 2026-01-31, or epoch milliseconds");
  return Math.min(today, Math.max(dayOf(timeMs), today - USAGE_DAYS + 1));
}
