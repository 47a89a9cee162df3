/** The data plane, joined: its stages from their ports, its ends, and what must happen when policy changes. */
import type { Server } from "node:http";
import type { SecureContextOptions } from "node:tls";
import { isRefusal, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import { makeRefusalRecords } from "../audit/refusal-record.ts";
import { makeUnauthenticated } from "../audit/unauthenticated.ts";
import type { Settings } from "../config/settings.ts";
import { ByteBudget } from "../dataplane/byte-budget.ts";
import { Connections } from "../dataplane/connections.ts";
import type { EndListener } from "../dataplane/ending.ts";
import type { Exchange } from "../dataplane/exchange.ts";
import { ExchangeLog } from "../dataplane/exchange-log.ts";
import { Judge } from "../dataplane/judge.ts";
import { makeKeysInRequest } from "../dataplane/keys-in-traffic.ts";
import type { TrafficGuard } from "../dataplane/keys-in-traffic.ts";
import { LiveExchanges } from "../dataplane/live-exchanges.ts";
import { makeConstant } from "../dataplane/own/constants.ts";
import { makeOwnUsage } from "../dataplane/own/own-usage.ts";
import { makePersonsKeys } from "../dataplane/own/persons-keys.ts";
import { makeRotateItself } from "../dataplane/own/rotate-itself.ts";
import { makeTicketStage } from "../dataplane/own/ticket.ts";
import { makePipeline } from "../dataplane/pipeline.ts";
import { ClientGone } from "../dataplane/read-body.ts";
import { writeRefusal } from "../dataplane/refuse.ts";
import { createDataServer } from "../dataplane/server.ts";
import { makeSettle } from "../dataplane/settle.ts";
import { UnrecordedRequests } from "../audit/unrecorded.ts";
import type { RefusalLog } from "../dataplane/settle.ts";
import { makeAdmit } from "../dataplane/stages/admit.ts";
import { makeAuthorize } from "../dataplane/stages/authorize.ts";
import { makeConditions, makeFactors } from "../dataplane/stages/factors.ts";
import { makeForward } from "../dataplane/stages/forward.ts";
import { makeRead, readOwnForm, readOwnJson, requestBytesMax, understand } from "../dataplane/stages/inspect.ts";
import { makeLimit, makeSlot } from "../dataplane/stages/limit.ts";
import { makeLocateModel } from "../dataplane/stages/locate-model.ts";
import { makeConfirmed, match } from "../dataplane/stages/match.ts";
import { makeQueue } from "../dataplane/stages/queue.ts";
import { makeIntend, makeRecord } from "../dataplane/stages/record.ts";
import { makeWays } from "../dataplane/ways.ts";
import type { Tracing } from "../dataplane/trace.ts";
import { ModelOrigins } from "../dataplane/upstream/model-origins.ts";
import { UpstreamPools } from "../dataplane/upstream/pool.ts";
import type { UpstreamPorts } from "../dataplane/upstream/upstream.ts";
import { checkTable } from "../dataplane/wire/endpoints.ts";
import type { Clock } from "../kernel/clock.ts";
import { causeOf } from "../kernel/log.ts";
import type { Log } from "../kernel/log.ts";
import { Quotas } from "../dataplane/quotas.ts";
import { KeyLimits } from "../limits/key-limits.ts";
import { activityOf } from "../dataplane/activity.ts";
import type { EnvironmentActivity, LiveRequestHandle } from "../limits/environment-activity.ts";
import { computeMsOf } from "../dataplane/cost.ts";
import { AttainedService } from "../limits/attained-service.ts";
import { nameShareMetrics } from "./share-metrics.ts";
import { QuotaBook } from "../limits/quota-book.ts";
import { TokenEstimates } from "../limits/token-estimates.ts";
import type { OpenQuotas } from "./open-quotas.ts";
import { isTrusted, makeAddressRules } from "../listener/client-address.ts";
import { ConnectionSeats } from "../listener/connection-seats.ts";
import { HostNames } from "../listener/host-names.ts";
import type { UsageNames } from "../usage/usage-view.ts";
import type { Core } from "./core.ts";
import { makeCredentials } from "./credentials.ts";
import type { GatewayMetrics } from "./gateway-metrics.ts";

/** Each once. */
function askedPermissions({ understood, endpoint }: Exchange): readonly string[] {
  return understood ? [...new Set(understood.demands.map(({ permission }) => permission))] : (endpoint?.anyOf ?? []);
}

/** Aggregates are by the minute: written once each. */
const FLUSH_MS = 60_000;
/** Time bounds of what waits and runs are kept with this precision: one timer for all, instead of some for each request. */
const TICK_MS = 1_000;
/** A part of a budget that no request holds any more is settled after this. */
const SILENT_LEASE_MS = 10_000;

export interface DataPlanePorts {
  readonly settings: Settings;
  readonly core: Core;
  readonly clock: Clock;
  readonly log: Log;
  readonly tls: SecureContextOptions | null;
  /** The most connections the listener holds. */
  readonly connectionsMax: number;
  readonly metrics: GatewayMetrics;
  /** Traces of exchanges; null where the settings ask for none. */
  /** In addition to its own. */
  readonly listeners: readonly EndListener[];
  readonly tracing: (Tracing & EndListener) | null;
  /** Keys in requests and responses. */
  readonly traffic: TrafficGuard;
  /** What was used of budgets; absent = in memory only (a rehearsal). */
  readonly budgets?: Pick<OpenQuotas, "book" | "tokens">;
  /** The listener's own address, once it listens. */
  readonly listenerUrl: () => string;
  /** How connections to model servers are made, where it is not over the network (a rehearsal). */
  readonly connect?: UpstreamPorts["connect"];
}

export interface DataPlane {
  readonly server: Server;
  running(): number;
  queued(): number;
  activity(environment: string): EnvironmentActivity;
  liveRequest(id: string): LiveRequestHandle | undefined;
  /** Requests that a model server works on. */
  runningOn(environment: string, upstream: string): number;
  /** Rejects new requests from now on. */
  drain(): void;
  /** Aborts what still runs and writes the last aggregates. */
  end(): void;
  closeUpstreams(): Promise<void>;
}

export function makeDataPlane({
  settings,
  core,
  clock,
  log,
  tls,
  connectionsMax,
  metrics,
  listeners,
  tracing,
  traffic,
  listenerUrl,
  connect,
  budgets = { book: new QuotaBook({ now: () => clock.now(), onUsedUp: () => {} }), tokens: new TokenEstimates() },
}: DataPlanePorts): DataPlane {
  const mistakes = checkTable();
  if (mistakes.length > 0) throw new Error(`the endpoint table is wrong: ${mistakes.join("; ")}`);
  const { snapshot, store: ledger } = core;
  const pools = new UpstreamPools({
    now: () => clock.monotonic(),
    random: Math.random,
    connect,
    stateOf: (environment, spec) => core.upstreamStates.of(environment, spec),
    onFitness({ environment, spec }, isFit) {
      const of = { environment, upstream: spec.id };
      if (isFit) log.info(of, "an upstream is chosen for requests again");
      else log.warn(of, "an upstream is not chosen for requests, because it fails");
    },
    onFailedClose: (cause) => log.warn({ cause: causeOf(cause) }, "an upstream's connections did not close"),
  });
  const origins = new ModelOrigins(clock);
  const addresses = makeAddressRules(settings.trustedProxies, settings.proxyHops);
  const seats = new ConnectionSeats({ capacity: connectionsMax, isShared: (peer) => isTrusted(addresses, peer) });
  const connections = new Connections(clock, seats);
  const live = new LiveExchanges();
  const judge = makeJudge(core, settings);
  const limits = new KeyLimits();
  const quotas = new Quotas({
    ...budgets,
    predictMs: (environment, model, principal) => pools.predictMs(environment, model, principal),
  });
  const attained = new AttainedService();
  const budget = new ByteBudget(settings.inFlightBytesMax, requestBytesMax(settings.inFlightBytesMax));
  const isQuarantined = (): boolean => core.quarantine.restored() !== undefined;
  let isDraining = false;

  const refuseAfterChange = (exchange: Exchange): Refusal | undefined => {
    const right = judge.decideAgain(exchange);
    return isRefusal(right) ? right : quotas.refuseNow(exchange, right);
  };

  pools.configure(snapshot().environments.values());
  core.upstreamStates.onChange(() => pools.configure(snapshot().environments.values()));
  core.onSwap((next) => {
    pools.configure(next.environments.values());
    live.recheck({ refuseNow: (exchange) => refuseAfterChange(exchange) });
  });

  const unauthenticated = makeUnauthenticated({ ledger, clock });
  const refused = makeRefusalRecords({ ledger, clock });
  const refusals: RefusalLog = {
    unauthenticated: (refusal, address) => unauthenticated.count(refusal, address),
    authenticated: (exchange, refusal) =>
      refused.record({
        key: exchange.key!,
        team: exchange.right?.team ?? null,
        code: refusal.code,
        ...(refusal.detail === undefined ? {} : { detail: refusal.detail }),
        endpoint: exchange.endpoint?.id ?? null,
        permissions: askedPermissions(exchange),
        model: exchange.understood?.model?.key ?? null,
        address: exchange.address,
        client: exchange.client,
        requestId: exchange.id,
        at: clock.now(),
      }),
  };
  const unrecorded = new UnrecordedRequests({
    ledger,
    clock,
    environments: () => snapshot().environments,
    onGap: (environment) =>
      log.error(
        { environment },
        "inference is served without audit records, as policy allows: the audit log cannot be written",
      ),
  });
  const flush = (): void => {
    unrecorded.flush();
    unauthenticated.flush(clock.now());
    refused.flush(clock.now());
  };
  const credentials = makeCredentials({ settings, core, log, limits, live, judge, listenerUrl });
  const intend = makeIntend({ ledger, permissionUses: core.permissionUses, unrecorded });
  const flushing = setInterval(flush, FLUSH_MS).unref();
  const ticking = setInterval(() => {
    const nowMs = clock.monotonic();
    live.tick(nowMs);
    // After the look at all that lives, so that only what was abandoned is silent.
    const swept = budgets.book.sweep(nowMs, SILENT_LEASE_MS);
    if (swept > 0) log.error({ swept }, "requests ended without settling their budgets");
    pools.pump();
    connections.sweep();
  }, TICK_MS).unref();

  const run = makePipeline(
    makeWays({
      ...credentials.stages,
      admit: makeAdmit({
        addresses,
        hosts: new HostNames(settings.hosts),
        corsOrigins: new Set(settings.corsOrigins),
        isDraining: () => isDraining,
      }),
      match,
      constant: makeConstant(
        () => (ledger.isWritable() || unrecorded.areAllServed()) && !isDraining && !isQuarantined(),
      ),
      confirmed: makeConfirmed(isQuarantined),
      limit: makeLimit({ clock, limits }),
      slot: makeSlot(limits),
      read: makeRead({ budget, clock }),
      understand,
      json: readOwnJson,
      form: readOwnForm,
      ticket: makeTicketStage(core.tickets),
      factors: makeFactors(credentials.signatures),
      conditions: makeConditions(judge),
      rotateItself: makeRotateItself(core.lifecycle),
      personsKeys: makePersonsKeys(core.ownKeys),
      ownUsage: makeOwnUsage({ clock, usage: core.usage, names: usageNames(core) }),
      locateModel: makeLocateModel({ pools, origins }),
      authorize: makeAuthorize(judge, quotas),
      keysInRequest: makeKeysInRequest(traffic),
      queue: makeQueue({ pools, live, judge, clock, ledger, intend }),
      record: makeRecord({ intend, ledger, judge }),
      forward: makeForward({ ledger, clock, tracing, unrecorded, origins, traffic }),
    }),
    {
      refuse: writeRefusal,
      fault(exchange, cause) {
        if (cause instanceof ClientGone) {
          exchange.refusal = null;
          exchange.outcome = exchange.goneOutcome;
          exchange.response.destroy();
          return;
        }
        log.error(
          { request: exchange.id, endpoint: exchange.endpoint?.id, cause: causeOf(cause) },
          "a request met a fault",
        );
        writeRefusal(exchange, refuse("fault"));
      },
      settle: makeSettle({
        clock,
        limits,
        quotas,
        budget,
        live,
        ledger,
        refusals,
        listeners: [
          noteAttained(attained, clock),
          metrics.exchanges,
          new ExchangeLog(log, clock),
          ...(tracing ? [tracing] : []),
          ...listeners,
        ],
        fault: (cause) => log.error({ cause: causeOf(cause) }, "an exchange's end could not be counted or told"),
      }),
    },
  );
  const server = createDataServer(
    {
      clock,
      addresses,
      connections,
      seats,
      run,
      refusedByParser(code, address) {
        unauthenticated.count({ code }, address);
        metrics.exchanges.refusedByParser(code);
      },
    },
    tls,
  );
  metrics.nameDataPlane({ live, pools, budget, unrecorded });
  nameShareMetrics(metrics.registry, { ...budgets, attained, pools, now: () => clock.monotonic() });

  return {
    server,
    running: () => live.size - pools.waiting,
    queued: () => pools.waiting,
    activity: (environment) =>
      activityOf(environment, { live, pools, attained, book: budgets.book, now: () => clock.monotonic() }),
    liveRequest: (id) => live.handleOf(id),
    runningOn: (environment, upstream) => pools.of(environment).find(({ spec }) => spec.id === upstream)?.running ?? 0,
    drain: () => void (isDraining = true),
    end() {
      clearInterval(flushing);
      clearInterval(ticking);
      live.cutAll(refuse("draining"));
      flush();
    },
    closeUpstreams: () => {
      credentials.close();
      return pools.close();
    },
  };
}

/** For own usage: of keys and people as they are now. */
function usageNames({ keys, snapshot }: Core): UsageNames {
  return {
    key: (environment, id) => keys.find(environment, id)?.name,
    principal: (id) => snapshot().principals.get(id)?.name,
  };
}

/** For requests, and for `explain`. */
export function makeJudge(core: Core, { environments }: Pick<Settings, "environments">): Judge {
  const { clock, snapshot, keys, revokedTokens, firstNetworks } = core;
  const served = environments && new Set(environments);
  return new Judge({ clock, snapshot, keys, revokedTokens, firstNetworks, environments: served });
}

/** Requests that took or wanted a turn of a model. */
function noteAttained(attained: AttainedService, clock: Pick<Clock, "monotonic">): EndListener {
  return {
    ended(exchange) {
      const { key, queuedMs, heldMs } = exchange;
      if (key === null || (queuedMs === 0 && heldMs === 0)) return;
      attained.note(key.environment, key.owner ?? key.id, computeMsOf(exchange), queuedMs, clock.monotonic());
    },
  };
}
