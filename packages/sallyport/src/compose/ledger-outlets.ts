/**
 * Where audit records go in addition to the data directory: sinks and witnesses. Their code is loaded only if some are
 * configured.
 */
import type { Settings } from "../config/settings.ts";
import type { Log } from "../kernel/log.ts";
import type { Core } from "./core.ts";
import type { GatewayMetrics } from "./gateway-metrics.ts";
import type { SinkFigures } from "./sinks.ts";

export interface LedgerOutlets {
  sinks(): readonly SinkFigures[];
  close(): Promise<void>;
}

/** Throws `store_unavailable` where a secret is missing. */
export async function openLedgerOutlets(
  settings: Settings,
  core: Core,
  { registry }: GatewayMetrics,
  log: Log,
): Promise<LedgerOutlets> {
  const { sinks, witnesses, dataDirectory } = settings;
  const openedSinks =
    sinks.length > 0 ? await (await import("./sinks.ts")).openSinks(sinks, dataDirectory, core, registry, log) : null;
  const openedWitnesses =
    witnesses.length > 0
      ? (await import("./witnesses.ts")).openWitnesses(witnesses, dataDirectory, core, registry, log)
      : null;
  return {
    sinks: () => openedSinks?.figures() ?? [],
    async close() {
      await openedWitnesses?.close();
      await openedSinks?.close();
    },
  };
}
