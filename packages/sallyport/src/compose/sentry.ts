/** Joins anomaly detection: exchanges and events in, alerts out, responses by policy. Baselines survive a restart. */
import { SYSTEM_REALM } from "@sallyport/protocol";
import { existsSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { readBounded } from "@sallyport/ledger/node";
import type { Alert } from "../anomaly/alert.ts";
import { KEPT_ALERTS_MAX, readAlerts } from "../anomaly/kept-alerts.ts";
import { FromRecords } from "../anomaly/replay/from-records.ts";
import { DEFAULT_ANOMALY_POLICY } from "../anomaly/response.ts";
import { Sentry } from "../anomaly/sentry.ts";
import { KeyWatch } from "../anomaly/watch/key-watch.ts";
import type { KeptWatch } from "../anomaly/watch/key-watch.ts";
import type { EndListener } from "../dataplane/ending.ts";
import { causeOf } from "../kernel/log.ts";
import type { Log } from "../kernel/log.ts";
import type { Core } from "./core.ts";
import { forgetOldKeys, isKeyOver, keepWatch } from "./keep-watch.ts";
import { observeExchange } from "./observe-exchange.ts";

const DUE_MS = 5_000;
const KEEP_MS = 300_000;

export interface OpenSentry {
  readonly sentry: Sentry;
  readonly listener: EndListener;
  /** Where a key is known from (CIDR). */
  networksOf(environment: string, key: string): readonly string[];
  /** Keeps what was learned, when what was noticed is answered. */
  close(): Promise<void>;
}

/** Answers alerts; beside no server it sees none, and takes back what is asked of it. */
export function makeSentry(core: Core, watch: KeyWatch, fault: (cause: unknown) => void): Sentry {
  const { clock, snapshot, keys } = core;
  return new Sentry({
    clock,
    watch,
    // Admin keys belong to no environment: their anomalies are reported, and there is no automatic response.
    policy: (environment) =>
      environment === SYSTEM_REALM ? DEFAULT_ANOMALY_POLICY : snapshot().environments.get(environment)?.anomalies,
    key: (environment, id) => keys.find(environment, id),
    isPerson: (owner) => snapshot().principals.get(owner)?.kind === "person",
    restrictions: core.restrictions,
    changes: core.changes,
    fault,
  });
}

/** `path`: the file of what was learned. */
export function openSentry(core: Core, path: string, log: Log): OpenSentry {
  const { clock } = core;
  const fault = (cause: unknown): void => log.error({ cause: causeOf(cause) }, "an alert could not be answered");
  const watch = new KeyWatch();
  const alerts = restoreWatch(watch, path, clock.now(), log);
  const sentry = makeSentry(core, watch, fault);
  sentry.remember(alerts);
  const records = new FromRecords((environment, id) => core.keys.find(environment, id)?.isDecoy ?? false);
  core.onEvents((events) => {
    for (const event of events) for (const observation of records.take(event)) sentry.see(observation);
  });
  const isGone = (environment: string, id: string): boolean => isKeyOver(core.keys.find(environment, id), clock.now());
  const keepNow = async (): Promise<void> => {
    try {
      await forgetOldKeys(watch, { now: clock.now(), isGone, turn });
      await keepWatch(watch, sentry.remembered().slice(-KEPT_ALERTS_MAX), path);
    } catch (cause) {
      log.warn({ cause: causeOf(cause) }, "what was learned of keys could not be kept");
    }
  };
  let kept: Promise<void> = Promise.resolve();
  const keep = (): Promise<void> => (kept = kept.then(keepNow));
  const endDue = (): void => void sentry.endDue().catch(fault);
  // What was over while nothing ran ends now.
  endDue();
  const due = setInterval(endDue, DUE_MS).unref();
  const keeping = setInterval(() => void keep(), KEEP_MS).unref();
  return {
    sentry,
    networksOf: (environment, key) => watch.networks(environment, key, clock.now()),
    listener: {
      ended(exchange, _ending, totalMs) {
        const observation = observeExchange(exchange, clock.now(), totalMs);
        if (observation) sentry.see(observation);
      },
    },
    async close() {
      clearInterval(due);
      clearInterval(keeping);
      await sentry.settled();
      await keep();
    },
  };
}

/** Some ten thousand keys. */
const WATCH_BYTES_MAX = 512 * 1024 * 1024;

/** A file that is damaged or of another version costs what was learned, not the start. */
function restoreWatch(watch: KeyWatch, path: string, now: number, log: Log): readonly Alert[] {
  if (!existsSync(path)) return [];
  let isRead = false;
  let alerts: readonly Alert[] = [];
  try {
    const kept = JSON.parse(readBounded(path, WATCH_BYTES_MAX)?.toString("utf8") ?? "") as KeptWatch & {
      readonly alerts?: unknown;
    };
    isRead = watch.restore(kept, now);
    alerts = readAlerts(kept.alerts);
  } catch (cause) {
    log.warn({ cause: causeOf(cause) }, "what was learned of keys cannot be read");
  }
  if (!isRead) log.warn("baselines of keys are learned again: the stored ones are of another version, or damaged");
  return isRead ? alerts : [];
}
