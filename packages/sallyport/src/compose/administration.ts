/** Administration on an open core, without listeners. */
import { makeAdminApp } from "../admin/app.ts";
import { KeyWatch } from "../anomaly/watch/key-watch.ts";
import type { Settings } from "../config/settings.ts";
import { currentUser } from "../kernel/current-user.ts";
import type { Log } from "../kernel/log.ts";
import { adminPorts, logFault } from "./admin-ports.ts";
import type { Core } from "./core.ts";
import { makeGatewayMetrics } from "./gateway-metrics.ts";
import { openLiveEvents } from "./live-events.ts";
import { makeLeakDesk } from "./leaks.ts";
import { makeSentry } from "./sentry.ts";

export interface Administration {
  /** As the operating-system user. */
  handle(request: Request): Promise<Response>;
  close(): Promise<void>;
}

export function joinAdministration(settings: Settings, core: Core, log: Log): Administration {
  const metrics = makeGatewayMetrics(core);
  const urls = { data: "", admin: "" };
  const sentry = makeSentry(core, new KeyWatch(), logFault(log));
  // No traffic was seen here: no network of a key is known.
  const leaks = { desk: makeLeakDesk(core, () => []), senders: null };
  const app = makeAdminApp(
    adminPorts(core, settings, null, metrics, urls, sentry, leaks, openLiveEvents(core).events),
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
