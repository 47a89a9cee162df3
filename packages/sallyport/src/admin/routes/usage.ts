/** Reports of use, of the environments that the caller administers. */
import { parseModelName, SYSTEM_REALM } from "@sallyport/protocol";
import type { UsageRebuildView } from "@sallyport/contract";
import { resolvePrincipal } from "../../access/principal-name.ts";
import { LongWork } from "../../kernel/long-work.ts";
import { dayOf, dayText, OTHER_MODELS } from "../../usage/usage-row.ts";
import type { UsageNames } from "../../usage/usage-view.ts";
import { viewUsage } from "../../usage/usage-view.ts";
import { auditScope } from "../audit-scope.ts";
import { eventOf } from "../call.ts";
import type { AnyCall, Call, Handlers } from "../call.ts";
import { demandKnownSubjects } from "../known-filter.ts";
import type { AdminPorts } from "../ports.ts";

const LIMIT_DEFAULT = 1_000;
/** Keys of cloud models begin so; names do not. */
const CLOUD_KEY = "cloud:";
/** Today and the 29 days before it. */
const DAYS_DEFAULT = 30;

async function listUsage(call: Call<"usage.list">) {
  const { ports, query } = call;
  const { by, models, environment, key, team, after, limit = LIMIT_DEFAULT } = query;
  const today = dayOf(ports.clock.now());
  const to = query.until === undefined ? today : dayOf(query.until);
  const from = query.since === undefined ? to - DAYS_DEFAULT + 1 : dayOf(query.since);
  const scope = await auditScope(call, environment);
  const principal = query.principal === undefined ? undefined : principalOf(call, query.principal);
  const model = query.model === undefined ? undefined : modelOf(query.model);
  const page = await ports.usage.report({
    by: models === "true" && by !== "model" ? [by, "model"] : [by],
    from,
    to,
    ...scope,
    ...(key === undefined ? {} : { key }),
    ...(principal === undefined ? {} : { principal }),
    ...(team === undefined ? {} : { team }),
    ...(model === undefined ? {} : { model }),
    ...(after === undefined ? {} : { after }),
    limit,
  });
  if (page.rows.length === 0 && after === undefined) demandKnownSubjects(call, { key, principal });
  const names = namesFrom(ports);
  const rows = await new LongWork().flatMap(page.rows, (row) => [viewUsage(row, names)]);
  const { next, firstDay } = page;
  return {
    rows,
    next,
    since: dayText(from),
    until: dayText(to),
    firstDay: firstDay === null ? null : dayText(firstDay),
  };
}

/** Its id. Counters outlive the principal, so what is not known is looked for as it is. */
function principalOf({ ports }: AnyCall, who: string): string {
  const principal = resolvePrincipal(who, ports.snapshot().principals);
  return typeof principal === "string" ? who : principal.id;
}

function modelOf(name: string): string {
  return name === OTHER_MODELS || name.startsWith(CLOUD_KEY) ? name : (parseModelName(name)?.key ?? name);
}

function namesFrom({ snapshot, keys }: Pick<AdminPorts, "snapshot" | "keys">): UsageNames {
  const { principals } = snapshot();
  return {
    key: (environment, id) => keys.find(environment, id)?.name,
    principal: (id) => principals.get(id)?.name,
  };
}

async function beginRebuild(call: AnyCall): Promise<UsageRebuildView> {
  const { ports } = call;
  await ports.changes.inTurn(() =>
    ports.changes.change({ operations: [], events: [eventOf(call, "usage.rebuild", SYSTEM_REALM, {})] }),
  );
  ports.usage.rebuild();
  return viewRebuild(ports);
}

function viewRebuild({ usage }: Pick<AdminPorts, "usage">): UsageRebuildView {
  const progress = usage.rebuildProgress();
  const { records = 0, total = 0, rebuilt = null, failure = null } = progress ?? {};
  const firstDay = rebuilt?.firstDay ?? null;
  return {
    state: progress === null ? "idle" : rebuilt ? "done" : failure === null ? "running" : "failed",
    records,
    total,
    firstDay: firstDay === null ? null : dayText(firstDay),
    corrected: rebuilt?.corrected ?? 0,
    failure,
  };
}

export const usageHandlers: Handlers<"usage.list" | "usage.rebuild" | "usage.rebuilding"> = {
  "usage.list": listUsage,
  "usage.rebuild": beginRebuild,
  "usage.rebuilding": ({ ports }) => viewRebuild(ports),
};
