/**
 * A gateway on its open core: data plane and administration, joined, listening, and closed again. Beside `compose.ts`, so
 * that the store's thread starts while all of this is being loaded.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { SecureContextOptions } from "node:tls";
import { HEARTBEAT } from "@sallyport/ledger";
import { Problem, SYSTEM_REALM } from "@sallyport/protocol";
import { readPolicyText } from "../access/policy-text.ts";
import type { Snapshot } from "../access/snapshot.ts";
import { makeAdminApp } from "../admin/app.ts";
import { applyPolicyText } from "../admin/apply-policy.ts";
import { createAdminServer } from "../admin/server.ts";
import type { LedgerEvent } from "../audit/event.ts";
import type { Settings } from "../config/settings.ts";
import type { Clock } from "../kernel/clock.ts";
import { divideDescriptors, readDescriptorLimit } from "../kernel/descriptor-limit.ts";
import { causeOf } from "../kernel/log.ts";
import type { Log } from "../kernel/log.ts";
import { CertificateFiles, watchCertificates } from "../listener/certificate-files.ts";
import { makeAddressRules } from "../listener/client-address.ts";
import { ACCEPT_BACKLOG } from "../listener/connection-seats.ts";
import { collectStart } from "../kernel/collect-start.ts";
import { HostNames } from "../listener/host-names.ts";
import { dataPaths } from "../store/disk/data-paths.ts";
import { VERSION } from "../version.ts";
import { adminPorts, logFault } from "./admin-ports.ts";
import type { Core } from "./core.ts";
import { socketPathOf } from "./core.ts";
import { makeDataPlane } from "./data-plane.ts";
import type { DataPlane } from "./data-plane.ts";
import { makeGatewayMetrics } from "./gateway-metrics.ts";
import type { GatewayMetrics } from "./gateway-metrics.ts";
import { beat, careForIndexes } from "./ledger-care.ts";
import { careForKeys } from "./key-care.ts";
import { careForReviews } from "./review-care.ts";
import { careForLeaks, makeLeakDesk, makeTrafficLeaks, openCanaryIncidents, openLeakSenders } from "./leaks.ts";
import { openLiveEvents } from "./live-events.ts";
import { openLedgerOutlets } from "./ledger-outlets.ts";
import type { LedgerOutlets } from "./ledger-outlets.ts";
import { openNotices } from "./open-notices.ts";
import { closePractice, openPractice } from "./practice.ts";
import type { RehearsalPorts } from "./rehearsal/rehearse.ts";
import { openQuotas } from "./open-quotas.ts";
import { openRightsizing } from "./rightsizing.ts";
import { openSentry } from "./sentry.ts";
import type { MetricExporter } from "../outlets/metrics/metric-exporter.ts";
import type { OpenTraces } from "./tracing.ts";
import { Undo } from "./undo.ts";

export interface Gateway {
  /** How many exchanges were rehearsed, once that is over; 0 where none were asked for. */
  readonly rehearsed: Promise<number>;
  /** `http://127.0.0.1:11435`, with the port really bound. */
  readonly dataUrl: string;
  readonly adminUrl: string;
  /** Re-reads certificates and the policy file, and looks at identity providers and access reviews now (SIGHUP). */
  reload(): Promise<void>;
  /**
   * Accepts no new requests, lets running ones finish within `drainMs`, then aborts them; commits the audit log and
   * closes.
   */
  close(drainMs: number): Promise<void>;
}

export interface GatewayParts {
  readonly settings: Settings;
  readonly core: Core;
  readonly clock: Clock;
  readonly log: Log;
  readonly withPractice: PracticeChoice;
  /** Requests are rehearsed right after the start. */
  readonly rehearses: boolean;
}

/** Whether the demo model server runs, known at once or from the policy that is in force. */
export type PracticeChoice = boolean | ((snapshot: Snapshot) => Promise<boolean>);

/** Takes the core over: it is closed with the gateway, also when that cannot begin. */
export async function joinGateway(parts: GatewayParts): Promise<Gateway> {
  const { settings, core, clock, log } = parts;
  const metrics = makeGatewayMetrics(core);
  let outlets: LedgerOutlets | null = null;
  const undo = new Undo(log);
  undo.add("the store", () => core.close());
  undo.add("metrics", () => metrics.close());
  try {
    const certificates = settings.tls && new CertificateFiles(settings.tls);
    const tls = certificates?.read() ?? null;
    const traces = await openTracesIfAsked(settings, metrics, log);
    undo.add("traces", () => traces?.close());
    const metricExport = await openMetricExportIfAsked(settings, metrics, clock, log);
    undo.add("the export of metrics", () => metricExport?.close());
    const tracing = traces?.exchanges ?? null;
    const endNotices = await openNotices(settings, core, log);
    undo.add("notices", endNotices);
    outlets = await openLedgerOutlets(settings, core, metrics, log);
    undo.add("sinks and witnesses", () => outlets?.close());
    const sentry = openSentry(core, dataPaths(settings.dataDirectory).watch, log);
    undo.add("anomaly detection", () => sentry.close());
    const leakDesk = makeLeakDesk(core, (key) => sentry.networksOf(key.environment, key.id));
    const traffic = makeTrafficLeaks(core, leakDesk, log);
    openCanaryIncidents(core, leakDesk, log);
    const endLeakCare = careForLeaks(leakDesk, log);
    undo.add("leaked keys", endLeakCare);
    const quotas = await openQuotas(core, dataPaths(settings.dataDirectory).quotas, log);
    undo.add("budgets", () => quotas.close());
    const rightsizing = openRightsizing(core, log);
    undo.add("right-sizing", () => rightsizing.close());
    const live = openLiveEvents(core);
    const urls = { data: "", admin: "" };
    const bounds = divideDescriptors(readDescriptorLimit());
    const dataPlane = makeDataPlane({
      settings,
      core,
      clock,
      log,
      tls,
      connectionsMax: bounds.data,
      metrics,
      listeners: [sentry.listener, rightsizing.listener, live.listener],
      budgets: quotas,
      tracing,
      traffic,
      listenerUrl: () => urls.data,
    });
    undo.add("connections to model servers", () => dataPlane.closeUpstreams());
    undo.add("requests", () => dataPlane.end());
    const identity =
      settings.identity && (await import("./identity.ts")).openIdentity(settings.identity, core, metrics.registry, log);
    undo.add("identity providers", () => identity?.close());
    const signals = identity?.signals ?? null;
    const senders = settings.identity?.leaks ? openLeakSenders(settings.identity.leaks, core) : null;
    const ports = {
      ...adminPorts(
        core,
        settings,
        dataPlane,
        metrics,
        urls,
        sentry.sentry,
        { desk: leakDesk, senders },
        live.events,
        signals,
      ),
      sinks: () => outlets?.sinks() ?? [],
    };
    const applyFile = async (): Promise<void> => {
      if (settings.policyFile === null) return;
      // The active one has the file as well, or is to have it.
      if (core.authority?.isActive === false) return log.warn("on standby: the policy file was not applied");
      const text = readFileSync(settings.policyFile, "utf8");
      // Nothing is served yet that would wait for it, and a thread would cost the start its time.
      const atOnce = { ...ports, readPolicyText: async (file: string) => readPolicyText(file) };
      const applied = applyPolicyText(atOnce, text, "gateway", { dryRun: false });
      const { changes } = await applied.catch((failure: unknown) => {
        if (!(failure instanceof Problem) || failure.mistakes.length === 0) throw failure;
        // Mistakes have lines: the reader needs the file, too.
        const where = [settings.policyFile, failure.detail].filter(Boolean).join(": ");
        throw new Problem(failure.code, where, failure.mistakes);
      });
      for (const change of changes) log.info({ change }, "policy applied");
    };
    await applyFile();
    const withPractice =
      typeof parts.withPractice === "function" ? await parts.withPractice(core.snapshot()) : parts.withPractice;
    const endPractice = withPractice ? await openPractice(core) : () => closePractice(core);
    if (!withPractice) await endPractice();
    else undo.add("the demo model server", endPractice);
    const app = makeAdminApp(ports, logFault(log));
    undo.add("administration", () => app.close());
    const admin = createAdminServer({
      app,
      hosts: new HostNames(settings.hosts),
      tls,
      socketPath: socketPathOf(settings),
      addresses: makeAddressRules(settings.trustedProxies, settings.proxyHops),
      connectionsMax: { tcp: bounds.admin, socket: bounds.adminSocket },
    });
    undo.add("the data plane's listener", () => closeAtOnce(dataPlane.server));
    collectStart();
    urls.data = await listen(dataPlane.server, settings.listen, settings.tls !== null);
    undo.add("the admin listener", () => admin.close());
    await admin.listen(settings.adminListen);
    urls.admin = admin.url();
    core.authority?.announce(urls.admin);
    const recorded = record(core, "server.started", { version: VERSION, data: urls.data, admin: urls.admin });
    // While the record is on its way to the disk, this thread has nothing else to do.
    await Promise.all([recorded, app.warmUp()]);
    log.info({ version: VERSION, node: process.versions.node, ...urls }, "the gateway serves");
    if (!core.store.isWritable())
      log.error(
        "the disk has no room for the reserve (ledger.reserveBytes) and 16 MiB beside it: requests are denied, and only revocations are accepted, until there is room",
      );
    if (core.quarantine.restored())
      log.warn("this gateway was restored from a backup: no request is served before 'sallyport restore confirm'");
    const useTls = (next: SecureContextOptions): void => {
      if ("setSecureContext" in dataPlane.server) (dataPlane.server as unknown as SecureServer).setSecureContext(next);
      admin.setSecureContext(next);
      log.info("the certificate was read again");
    };
    const endCare = careForKeys(core, log);
    const { isClockAgreed } = core;
    const reviewCare = careForReviews({
      ports,
      isClockAgreed,
      isActive: () => core.authority?.isActive !== false,
      log,
    });
    const endWeekly =
      settings.notices || settings.mail ? (await import("./weekly.ts")).careForWeeklyNotice(core, app, log) : null;
    const endIndexCare = careForIndexes(settings.dataDirectory, core.audit, log);
    const endHeartbeat = beat((fields) => record(core, HEARTBEAT, fields), core, log);
    const watch = certificates && watchCertificates(certificates, useTls, log);
    let closing: Promise<void> | undefined;
    const isIdle = (): boolean => closing === undefined && dataPlane.running() === 0;
    const rehearsed = parts.rehearses ? rehearseSoon({ core, settings, clock, log, isWanted: isIdle }) : zero;
    const shut = async (drainMs: number): Promise<void> => {
      if (watch) clearInterval(watch);
      endCare();
      reviewCare.stop();
      endLeakCare();
      endWeekly?.();
      endIndexCare();
      endHeartbeat();
      endNotices();
      identity?.close();
      await rehearsed;
      log.info({ drain_ms: drainMs, running: dataPlane.running(), queued: dataPlane.queued() }, "the gateway drains");
      await drain(dataPlane, drainMs);
      await traffic.settled();
      await sentry.close();
      await quotas.close();
      await rightsizing.close();
      if (withPractice) await endPractice().catch(logFault(log));
      await app.close();
      await admin.close();
      // A disk that is full must not keep the program from stopping.
      await record(core, "server.stopped", { version: VERSION }).catch((cause: unknown) =>
        log.error({ cause: causeOf(cause) }, "the stop could not be recorded"),
      );
      await dataPlane.closeUpstreams();
      await traces?.close();
      await metricExport?.close();
      await outlets?.close();
      metrics.close();
      await core.close();
      log.info("the gateway has stopped");
    };
    return {
      rehearsed,
      dataUrl: urls.data,
      adminUrl: urls.admin,
      async reload() {
        if (certificates) useTls(certificates.read());
        await applyFile();
        if (settings.policyFile !== null) log.info("the policy file was read again");
        await identity?.lookNow();
        await reviewCare.look();
      },
      close(drainMs) {
        closing ??= shut(drainMs);
        return closing;
      },
    };
  } catch (cause) {
    await undo.all();
    throw cause;
  }
}

const zero = Promise.resolve(0);

/** Loaded when the gateway already listens, and never waited for by a request. */
async function rehearseSoon(ports: RehearsalPorts): Promise<number> {
  try {
    const { rehearse } = await import("./rehearsal/rehearse.ts");
    return await rehearse(ports);
  } catch (cause) {
    // The path of the data directory may be too long for sockets, for one. Requests are served all the same.
    ports.log.info({ cause: causeOf(cause) }, "the requests that warm the gateway up could not be made");
    return 0;
  }
}

/** No client has been promised anything yet: connections made meanwhile are closed. */
function closeAtOnce(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) return resolve();
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** What delivers traces is loaded only here: a gateway without them does not carry their code. */
async function openTracesIfAsked(settings: Settings, metrics: GatewayMetrics, log: Log): Promise<OpenTraces | null> {
  if (settings.tracing === null) return null;
  const { openTraces } = await import("./tracing.ts");
  return openTraces(settings.tracing.url, metrics.registry, log);
}

async function openMetricExportIfAsked(
  { metricExport }: Settings,
  metrics: GatewayMetrics,
  clock: Clock,
  log: Log,
): Promise<MetricExporter | null> {
  if (metricExport === null) return null;
  const { openMetricExport } = await import("./metric-export.ts");
  return openMetricExport(metricExport, metrics.registry, clock, log);
}

interface SecureServer {
  setSecureContext(tls: SecureContextOptions): void;
}

async function record(core: Core, type: LedgerEvent["type"], fields: LedgerEvent["fields"]): Promise<void> {
  await core.changes.inTurn(() =>
    core.changes.change({
      operations: [],
      events: [{ type, at: core.clock.now(), environment: SYSTEM_REALM, actor: "gateway", fields }],
    }),
  );
}

/** Resolves with the address it is really bound to. */
async function listen(server: Server, { host, port }: Settings["listen"], isTls: boolean): Promise<string> {
  server.listen({ port, host, backlog: ACCEPT_BACKLOG });
  await once(server, "listening");
  const bound = server.address() as AddressInfo;
  return `${isTls ? "https" : "http"}://${bound.family === "IPv6" ? `[${bound.address}]` : bound.address}:${bound.port}`;
}

/** Resolves when nothing runs any more; aborts what still runs after `drainMs`. */
async function drain(dataPlane: DataPlane, drainMs: number): Promise<void> {
  const { server } = dataPlane;
  dataPlane.drain();
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  const late = setTimeout(() => {
    dataPlane.end();
    setTimeout(() => server.closeAllConnections(), 1_000).unref();
  }, drainMs);
  const idle = setInterval(() => server.closeIdleConnections(), 100);
  await closed;
  clearTimeout(late);
  clearInterval(idle);
  dataPlane.end();
}
