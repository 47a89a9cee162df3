/**
 * Some hundred requests through a second data plane right after the start, so that the first real ones meet machine code
 * and not the interpreter (ADR 64). Its core, limits and metrics are separate and in memory only, and it uses two Unix
 * sockets in a folder of the data directory that only the gateway's user may enter. Sockets of another class would make
 * the code that runs later slower. It ends as soon as a real request runs.
 */
import { mkdirSync, rmSync } from "node:fs";
import type { Server } from "node:net";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { openLog } from "../../kernel/log.ts";
import { RehearsalCallers } from "../../dataplane/rehearsal/callers.ts";
import { connectTo, createStandInModelServer } from "../../dataplane/rehearsal/stand-in-model-server.ts";
import { makeDataPlane } from "../data-plane.ts";
import type { DataPlanePorts } from "../data-plane.ts";
import { makeGatewayMetrics } from "../gateway-metrics.ts";
import { makeStandInCore } from "./stand-in-core.ts";

/** After so many the cost of a request falls no further by much (bench/README.md). */
const EXCHANGES = 600;

/**
 * V8 doubles its young generation while much is allocated and keeps it at that size: 15 MB of a gateway at rest. Until the
 * rehearsal is over it stays as it is. 2 is V8's own value, in Node 20 and 24.
 */
const growYoungGeneration = (factor: 1 | 2): void => setFlagsFromString(`--semi-space-growth-factor=${factor}`);

export interface RehearsalPorts extends Pick<DataPlanePorts, "core" | "settings" | "clock" | "log"> {
  /** False as soon as real requests run, or the gateway closes. */
  readonly isWanted: () => boolean;
}

/** The number of exchanges that were rehearsed. What goes wrong is logged, and is never the gateway's failure. */
export async function rehearse({ core: real, settings, clock, log, isWanted }: RehearsalPorts): Promise<number> {
  const { core, key } = makeStandInCore(real);
  const metrics = makeGatewayMetrics(core);
  const folder = join(settings.dataDirectory, "rehearsal");
  // A kill may have left one.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o700 });
  const [entry, model] = [join(folder, "entry"), join(folder, "model")];
  const modelServer = createStandInModelServer();
  const callers = new RehearsalCallers(key.reveal(), EXCHANGES, isWanted);
  const dataPlane = makeDataPlane({
    core,
    clock,
    log: openLog("silent"),
    // As a listener on loopback without a provider: nothing is watched or looked up.
    settings: { ...settings, trustedProxies: [], corsOrigins: [], environments: null, oidc: null, identity: null },
    tls: null,
    connectionsMax: 1_000,
    metrics,
    listeners: [callers],
    tracing: null,
    traffic: { actionIn: () => "notify", note: () => {} },
    listenerUrl: () => "http://localhost",
    connect: connectTo(model),
  });
  growYoungGeneration(1);
  try {
    await Promise.all([listenAt(modelServer, model), listenAt(dataPlane.server, entry)]);
    const { served, failure } = await callers.begin(entry);
    if (failure !== null) log.warn({ served, failure }, "the requests that warm the gateway up did not go well");
    return served;
  } finally {
    growYoungGeneration(2);
    dataPlane.end();
    callers.close();
    metrics.close();
    await dataPlane.closeUpstreams();
    for (const server of [dataPlane.server, modelServer]) {
      server.closeAllConnections();
      server.close();
    }
    rmSync(folder, { recursive: true, force: true });
  }
}

function listenAt(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => void server.once("error", reject).listen(path, resolve));
}
