/** The only place where parts are built and joined: `compose/core.ts` (what all need), `compose/data-plane.ts`, and here the rest. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { SecureContextOptions } from "node:tls";
import { HEARTBEAT, Problem } from "@sallyport/protocol";
import { everything } from "./access/everything.ts";
import { DEFAULT_UPSTREAM_URL, defaultEnvironment } from "./access/default-environment.ts";
import { makeAdminApp } from "./admin/app.ts";
import { applyPolicyText } from "./admin/apply-policy.ts";
import type { AuditVerdict } from "./audit/audit-log.ts";
import { AuditReads } from "./admin/audit-reads.ts";
import type { AdminPorts } from "./admin/ports.ts";
import { createAdminServer } from "./admin/server.ts";
import type { LedgerEvent } from "./audit/event.ts";
import { makeDataPlane } from "./compose/data-plane.ts";
import type { DataPlane } from "./compose/data-plane.ts";
import { CERTIFICATE_POLL_MS, CertificateFiles } from "./compose/certificate-files.ts";
import { careForIndexes } from "./compose/index-care.ts";
import { beat } from "./compose/heartbeat.ts";
import { careForKeys } from "./compose/key-care.ts";
import type { Sentry } from "./anomaly/sentry.ts";
import { KeyWatch } from "./anomaly/watch/key-watch.ts";
import { makeSentry, openSentry } from "./compose/sentry.ts";
import { openNotices } from "./compose/open-notices.ts";
import { dataPaths } from "./store/data-paths.ts";
import { makeGatewayMetrics } from "./compose/gateway-metrics.ts";
import type { GatewayMetrics } from "./compose/gateway-metrics.ts";
import type { OpenSinks } from "./compose/sinks.ts";
import type { OpenTraces } from "./compose/tracing.ts";
import { endSessions } from "./compose/end-sessions.ts";
import { openCore, socketPathOf } from "./compose/core.ts";
import { surveyUses } from "./compose/use-survey.ts";
import { closePractice, openPractice } from "./compose/practice.ts";
import type { Core } from "./compose/core.ts";
import type { Settings } from "./config/settings.ts";
import { makeExplain } from "./dataplane/explain-request.ts";
import { makeExplainToken } from "./dataplane/explain-token.ts";
import { systemClock } from "./kernel/clock.ts";
import type { Clock } from "./kernel/clock.ts";
import { causeOf, openLog } from "./kernel/log.ts";
import type { Log } from "./kernel/log.ts";
import type { Secret } from "./kernel/secret.ts";
import { currentUser } from "./kernel/current-user.ts";
import { issueAdminKey } from "./keys/issue.ts";
import { SYSTEM_REALM } from "./keys/key.ts";
import { makeAddressRules } from "./listener/client-address.ts";
import { HostNames } from "./listener/host-names.ts";
import { initDataDirectory, isInitialized } from "./store/data-directory.ts";
import { openLedgerReader } from "./store/ledger-reader.ts";
import { VERSION } from "./version.ts";

export { isInitialized };
export { PRACTICE_ENVIRONMENT } from "./compose/practice.ts";
export { PRACTICE_MODEL } from "./practice/practice-server.ts";

export interface Gateway {
  /** `http://127.0.0.1:11435`, with the port really bound. */
  readonly dataUrl: string;
  readonly adminUrl: string;
  /** Re-reads certificates and the policy file, and looks at identity providers now (SIGHUP). */
  reload(): Promise<void>;
  /** Takes no new requests, lets running ones end within `drainMs`, then cuts them; commits the ledger and closes. */
  close(drainMs: number): Promise<void>;
}

/** Makes the data directory, a first environment in front of a model server (Ollama's usual address unless told), and the recovery admin key. */
export async function initialize(
  settings: Settings,
  upstreamUrl: string = DEFAULT_UPSTREAM_URL,
): Promise<{ adminKey: Secret; dataDirectory: string; environment: string }> {
  initDataDirectory(settings.dataDirectory, systemClock, settings.keyEncryptionKey);
  const core = await openCore(settings, systemClock, openLog(settings.logLevel));
  try {
    const at = systemClock.now();
    const actor = `os:${currentUser()}`;
    const environment = { ...defaultEnvironment, upstreams: [{ id: "u1", url: upstreamUrl }] };
    core.peppers.create(SYSTEM_REALM);
    core.peppers.create(defaultEnvironment.name);
    const issued = issueAdminKey(
      { name: "recovery", right: everything, createdAt: at, createdBy: actor, expiresAt: null },
      core.peppers,
    );
    await core.changes.change({
      operations: [
        { op: "environment.put", environment },
        { op: "key.insert", key: issued.record },
      ],
      events: [
        { type: "gateway.initialized", at, environment: SYSTEM_REALM, actor, fields: { version: VERSION } },
        {
          type: "admin_key.issued",
          at,
          environment: SYSTEM_REALM,
          actor,
          fields: { key: issued.record.id, name: "recovery" },
        },
      ],
    });
    return { adminKey: issued.text, dataDirectory: settings.dataDirectory, environment: defaultEnvironment.name };
  } finally {
    await core.close();
  }
}

/** Administration without listeners, as the operating-system user; `conflict` while a server holds the directory. */
export async function openAdministration(
  settings: Settings,
): Promise<{ handle(request: Request): Promise<Response>; close(): Promise<void> }> {
  const log = openLog(settings.logLevel);
  const core = await openCore(settings, systemClock, log);
  const metrics = makeGatewayMetrics(core);
  core.onEndSessions((which) => endSessions(core, which));
  const urls = { data: "", admin: "" };
  const app = makeAdminApp(
    adminPorts(core, settings, null, metrics, urls, makeSentry(core, new KeyWatch(), logFault(log))),
    logFault(log),
  );
  return {
    handle: (request) => app.handle(request, { kind: "socket", user: currentUser() }),
    async close() {
      await app.close();
      metrics.close();
      await core.close();
    },
  };
}

/** Verifies the ledger of a directory, beside a running server or without one. */
export function verifyDirectory(dataDirectory: string): Promise<AuditVerdict> {
  if (!isInitialized(dataDirectory)) throw new Problem("data_missing", dataDirectory);
  return openLedgerReader(dataDirectory).verify();
}

export interface GatewayOptions {
  /** Runs the practice server and points the environment `practice` at it. */
  readonly withPractice?: boolean;
  /** The system's unless a test brings its own. */
  readonly clock?: Clock;
}

export async function openGateway(
  settings: Settings,
  { withPractice = false, clock = systemClock }: GatewayOptions = {},
): Promise<Gateway> {
  const log = openLog(settings.logLevel);
  const core = await openCore(settings, clock, log);
  const metrics = makeGatewayMetrics(core);
  let sinks: OpenSinks | null = null;
  try {
    const certificates = settings.tls && new CertificateFiles(settings.tls);
    const tls = certificates?.read() ?? null;
    const traces = await openTracesIfAsked(settings, metrics, log);
    const tracing = traces?.exchanges ?? null;
    const endNotices = await openNotices(settings, core, log);
    sinks = await openSinksIfAsked(settings, core, metrics, log);
    const sentry = openSentry(core, dataPaths(settings.dataDirectory).watch, log);
    const urls = { data: "", admin: "" };
    const dataPlane = makeDataPlane({
      settings,
      core,
      clock,
      log,
      tls,
      metrics,
      listeners: [sentry.listener],
      tracing,
      listenerUrl: () => urls.data,
    });
    const identity =
      settings.identity &&
      (await import("./compose/identity.ts")).openIdentity(settings.identity, core, metrics.registry, log);
    const signals = identity?.signals ?? null;
    const ports = {
      ...adminPorts(core, settings, dataPlane, metrics, urls, sentry.sentry, signals),
      sinks: () => sinks?.figures() ?? [],
    };
    const applyFile = async (): Promise<void> => {
      if (settings.policyFile === null) return;
      const text = readFileSync(settings.policyFile, "utf8");
      const { changes } = await applyPolicyText(ports, text, "gateway", { dryRun: false });
      for (const change of changes) log.info({ change }, "policy applied");
    };
    await applyFile();
    const endPractice = withPractice ? await openPractice(core) : () => closePractice(core);
    if (!withPractice) await endPractice();
    const app = makeAdminApp(ports, logFault(log));
    const admin = createAdminServer({
      app,
      hosts: new HostNames(settings.hosts),
      tls,
      socketPath: socketPathOf(settings),
      addresses: makeAddressRules(settings.trustedProxies, settings.proxyHops),
    });
    urls.data = await listen(dataPlane.server, settings.listen, settings.tls !== null);
    try {
      await admin.listen(settings.adminListen);
    } catch (cause) {
      dataPlane.server.close();
      throw cause;
    }
    urls.admin = admin.url();
    await record(core, "server.started", { version: VERSION, data: urls.data, admin: urls.admin });
    log.info({ version: VERSION, node: process.versions.node, ...urls }, "the gateway serves");
    if (core.quarantine.restored())
      log.warn("this gateway was restored from a backup: no request is served before 'sallyport restore confirm'");
    const useTls = (next: SecureContextOptions): void => {
      if ("setSecureContext" in dataPlane.server) (dataPlane.server as unknown as SecureServer).setSecureContext(next);
      admin.setSecureContext(next);
      log.info("the certificate was read again");
    };
    const endCare = careForKeys(core, log);
    const endIndexCare = careForIndexes(settings.dataDirectory, core.audit, log);
    const endHeartbeat = beat((fields) => record(core, HEARTBEAT, fields), core, log);
    const watch = certificates && watchCertificates(certificates, useTls, log);
    let closing: Promise<void> | undefined;
    const shut = async (drainMs: number): Promise<void> => {
      if (watch) clearInterval(watch);
      endCare();
      endIndexCare();
      endHeartbeat();
      endNotices();
      identity?.close();
      log.info({ drain_ms: drainMs, running: dataPlane.running(), queued: dataPlane.queued() }, "the gateway drains");
      await drain(dataPlane, drainMs);
      await sentry.close();
      if (withPractice) await endPractice().catch(logFault(log));
      await app.close();
      await admin.close();
      // A disk that is full must not keep the program from stopping.
      await record(core, "server.stopped", { version: VERSION }).catch((cause: unknown) =>
        log.error({ cause: causeOf(cause) }, "the stop could not be recorded"),
      );
      await dataPlane.closeUpstreams();
      await traces?.close();
      await sinks?.close();
      metrics.close();
      await core.close();
      log.info("the gateway has stopped");
    };
    return {
      dataUrl: urls.data,
      adminUrl: urls.admin,
      async reload() {
        if (certificates) useTls(certificates.read());
        await applyFile();
        if (settings.policyFile !== null) log.info("the policy file was read again");
        await identity?.lookNow();
      },
      close(drainMs) {
        closing ??= shut(drainMs);
        return closing;
      },
    };
  } catch (cause) {
    await sinks?.close();
    metrics.close();
    await core.close();
    throw cause;
  }
}

/** What delivers traces is loaded only here: a gateway without them does not carry their code. */
async function openTracesIfAsked(settings: Settings, metrics: GatewayMetrics, log: Log): Promise<OpenTraces | null> {
  if (settings.tracing === null) return null;
  const { openTraces } = await import("./compose/tracing.ts");
  return openTraces(settings.tracing.url, metrics.registry, log);
}

async function openSinksIfAsked(
  settings: Settings,
  core: Core,
  metrics: GatewayMetrics,
  log: Log,
): Promise<OpenSinks | null> {
  if (settings.sinks.length === 0) return null;
  const { openSinks } = await import("./compose/sinks.ts");
  return openSinks(settings.sinks, settings.dataDirectory, core, metrics.registry, log);
}

function logFault(log: Log): (cause: unknown) => void {
  return (cause) => log.error({ cause: causeOf(cause) }, "the admin API met a fault");
}

interface SecureServer {
  setSecureContext(tls: SecureContextOptions): void;
}

function adminPorts(
  core: Core,
  { publicUrl }: Pick<Settings, "publicUrl">,
  dataPlane: DataPlane | null,
  metrics: GatewayMetrics,
  urls: { data: string; admin: string },
  sentry: Sentry,
  signals: AdminPorts["signals"] = null,
): AdminPorts {
  const { clock, keys, peppers, snapshot, changes, store } = core;
  const startedAt = clock.now();
  return {
    clock,
    snapshot,
    keys,
    uses: core.uses,
    lifecycle: core.lifecycle,
    sealTo: async (recipient, text) => (await import("./store/age-text.ts")).sealTextTo(recipient, text),
    listKeys: (filter) => store.reader.keys(filter),
    peppers,
    changes,
    quarantine: core.quarantine,
    incidents: core.incidents,
    reconciler: core.reconciler,
    signals,
    localLogins: core.localLogins,
    enrolment: core.enrolment,
    enrolmentPage: () => {
      const base = publicUrl === null ? urls.data : new URL(publicUrl).origin;
      return base === "" ? null : `${base}/login/enrol`;
    },
    explain: makeExplain({ clock, snapshot, keys }),
    explainToken: makeExplainToken({ clock, snapshot, keys }),
    audit: core.audit,
    reads: new AuditReads(core),
    newestRecord: () => store.figures().records,
    restrictions: () => core.restrictions.all(),
    answerAlert: (answer) => sentry.answer(answer),
    permissionUses: () => surveyUses(core, systemClock.now()),
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
    sinks: () => [],
    metrics: (isShown) => metrics.write(isShown),
  };
}

async function record(core: Core, type: LedgerEvent["type"], fields: LedgerEvent["fields"]): Promise<void> {
  await core.changes.change({
    operations: [],
    events: [{ type, at: core.clock.now(), environment: SYSTEM_REALM, actor: "gateway", fields }],
  });
}

/** New connections get a renewed certificate without anybody doing anything; one that cannot be used is told once. */
function watchCertificates(
  certificates: CertificateFiles,
  use: (tls: SecureContextOptions) => void,
  log: Log,
): NodeJS.Timeout {
  const look = (): void => {
    try {
      const next = certificates.readIfChanged();
      if (next) use(next);
    } catch (cause) {
      const mistakes = cause instanceof Problem ? cause.mistakes : [];
      log.error({ cause: causeOf(cause), mistakes }, "the new certificate cannot be used; the old one stays");
    }
  };
  return setInterval(look, CERTIFICATE_POLL_MS).unref();
}

async function listen(server: Server, { host, port }: Settings["listen"], isTls: boolean): Promise<string> {
  server.listen(port, host);
  await once(server, "listening");
  const bound = server.address() as AddressInfo;
  return `${isTls ? "https" : "http"}://${bound.family === "IPv6" ? `[${bound.address}]` : bound.address}:${bound.port}`;
}

/** Resolves when nothing runs any more; after `drainMs` what still runs is cut. */
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
