/** What administration is given of a gateway, or of a data directory beside no gateway. */
import type { UseSurvey } from "../access/permission-uses.ts";
import { PolicyTextReader } from "../access/policy-text-reader.ts";
import { AuditReads } from "../admin/audit-reads.ts";
import type { LiveEvents } from "../admin/events/live-events.ts";
import { ConsoleSessions } from "../admin/console/console-sessions.ts";
import type { AdminPorts } from "../admin/ports.ts";
import type { Sentry } from "../anomaly/sentry.ts";
import type { Settings } from "../config/settings.ts";
import type { KnownSenders } from "../leaks/known-senders.ts";
import type { LeakDesk } from "../leaks/leak-desk.ts";
import { makeExplain } from "../dataplane/explain-request.ts";
import { makeExplainToken } from "../dataplane/explain-token.ts";
import { causeOf } from "../kernel/log.ts";
import type { Log } from "../kernel/log.ts";
import { VERSION } from "../version.ts";
import type { Core } from "./core.ts";
import { makeJudge } from "./data-plane.ts";
import type { DataPlane } from "./data-plane.ts";
import { makePlanDesk } from "./rightsizing.ts";
import type { GatewayMetrics } from "./gateway-metrics.ts";
import { makeLeakHolder } from "./leaks.ts";

type AdministeredSettings = Pick<Settings, "publicUrl" | "identity" | "upstreamHosts" | "environments">;

export function adminPorts(
  core: Core,
  { publicUrl, identity, upstreamHosts, environments }: AdministeredSettings,
  dataPlane: DataPlane | null,
  metrics: GatewayMetrics,
  urls: { data: string; admin: string },
  sentry: Sentry,
  leaks: { readonly desk: LeakDesk; readonly senders: KnownSenders | null },
  events: LiveEvents,
  signals: AdminPorts["signals"] = null,
): AdminPorts {
  const { clock, keys, peppers, snapshot, changes, store } = core;
  const startedAt = clock.now();
  const judge = makeJudge(core, { environments });
  const policyTexts = new PolicyTextReader();
  return {
    clock,
    snapshot,
    keys,
    uses: core.uses,
    lifecycle: core.lifecycle,
    sealTo: async (recipient, text) => (await import("../store/secrets/age-text.ts")).sealTextTo(recipient, text),
    listKeys: (filter) => store.reader.keys(filter),
    storedKey: (environment, id) => store.reader.key(environment, id),
    keyIndex: core.keyIndex,
    peppers,
    changes,
    quarantine: core.quarantine,
    incidents: core.incidents,
    reconciler: core.reconciler,
    signals,
    upstreamHosts: upstreamHosts ?? null,
    upstreamStates: core.upstreamStates,
    runningOn: (environment, id) => dataPlane?.runningOn(environment, id) ?? null,
    agentOf: (actor) => identity?.providers.find(({ agent }) => agent?.keys.some((id) => actor === `key:${id}`))?.name,
    localLogins: core.localLogins,
    enrolment: core.enrolment,
    enrolmentPage: () => {
      const base = publicUrl === null ? urls.data : new URL(publicUrl).origin;
      return base === "" ? null : `${base}/login/enrol`;
    },
    explain: makeExplain({ snapshot, keys, judge, isQuarantined: () => core.quarantine.restored() !== undefined }),
    explainToken: makeExplainToken({ clock, snapshot, keys, judge }),
    audit: core.audit,
    console: new ConsoleSessions(clock),
    events,
    reads: new AuditReads(core),
    newestRecord: () => store.figures().records,
    restrictions: () => core.restrictions.all(),
    findings: core.findings,
    rightsizings: core.rightsizings,
    plans: makePlanDesk(core),
    reviews: core.reviews,
    reviewLines: {
      one: (review, line) => store.reader.reviewLine(review, line),
      some: (filter) => store.reader.reviewLines(filter),
      counts: (review) => store.reader.reviewCounts(review),
    },
    leaks: leaks.desk,
    leakHolder: makeLeakHolder(core),
    leakSenders: leaks.senders,
    async answerAlert(answer) {
      // Time does not make a leaked key safe: confirmed, it is suspended at once.
      if (answer.verdict === "confirmed" && (await leaks.desk.suspendNarrowed(answer.alert, answer.actor))) return true;
      return sentry.answer(answer);
    },
    permissionUses: () => surveyUses(core, clock.now()),
    usage: core.usage,
    damage: () => core.damage.rows(),
    status: () => ({
      version: VERSION,
      startedAt,
      epoch: snapshot().epoch,
      keys: keys.size,
      environments: [...snapshot().environments.keys()],
      isStoreWritable: store.isWritable(),
      damagedRecords: core.damage.rows().length,
      running: dataPlane?.running() ?? 0,
      queued: dataPlane?.queued() ?? 0,
      dataListen: urls.data,
      adminListen: urls.admin,
    }),
    liveRequest: (id) => dataPlane?.liveRequest(id),
    activity: (environment) => dataPlane?.activity(environment) ?? NOTHING_RUNS,
    readPolicyText: (text, actor) => policyTexts.read(text, actor),
    sinks: () => [],
    metrics: (isShown) => metrics.write(isShown),
  };
}

export function logFault(log: Log): (cause: unknown) => void {
  return (cause) => log.error({ cause: causeOf(cause) }, "the admin API met a fault");
}

const NOTHING_RUNS = { jainIndex: 1, models: [], servers: [], users: [], requests: [], budgets: [] };

/** Longer ago than a key lives without being used. */
const LOOKED_BACK_MS = 90 * 86_400_000;

async function surveyUses(
  { audit, permissionUses }: Pick<Core, "audit" | "permissionUses">,
  now: number,
): Promise<UseSurvey> {
  const present = permissionUses.survey(now);
  const earlier = await audit.uses({ since: now - LOOKED_BACK_MS, until: present.from });
  return { from: Math.min(earlier.from, present.from), to: now, uses: [...earlier.uses, ...present.uses] };
}
