/** The weekly notice, joined: what `sallyport today` shows to an administrator of everything, as an event that notices deliver. */
import { AdminClient, TODAY_SHOWN, todayTasks } from "@sallyport/client";
import { SYSTEM_REALM } from "@sallyport/protocol";
import type { AdminApp } from "../admin/app.ts";
import { causeOf } from "../kernel/log.ts";
import type { Log } from "../kernel/log.ts";
import { WeeklyNotice } from "../outlets/notices/weekly.ts";
import type { Core } from "./core.ts";

const EVERY_MS = 60_000;
const TYPE = "notice.weekly";

/** Loaded only where notices go somewhere. The first look is a minute after the start. Returns a function that stops it. */
export function careForWeeklyNotice(
  { clock, changes, audit }: Pick<Core, "clock" | "changes" | "audit">,
  app: Pick<AdminApp, "handle">,
  log: Log,
): () => void {
  const client = new AdminClient({ handle: (request) => app.handle(request, { kind: "socket", user: "gateway" }) });
  const weekly = new WeeklyNotice({
    now: () => clock.now(),
    async lastSent() {
      const [newest] = await audit.search({ type: TYPE, environment: SYSTEM_REALM, limit: 1, order: "newest" });
      return newest?.at;
    },
    async send() {
      const now = clock.now();
      const tasks = await todayTasks(client, now, () => undefined);
      if (tasks.length === 0) return;
      const shown = tasks
        .slice(0, TODAY_SHOWN)
        .map(({ severity, environment, says, command }) => `${severity}, ${environment}: ${says}: ${command}`);
      const fields = { tasks: shown, more: tasks.length - shown.length };
      const event = { type: TYPE, at: now, environment: SYSTEM_REALM, actor: "gateway", fields } as const;
      await changes.inTurn(() => changes.change({ operations: [], events: [event] }));
    },
  });
  const once = (): void =>
    void weekly.look().catch((cause: unknown) => log.warn({ cause: causeOf(cause) }, "the weekly notice could not be made; it is tried again")); // prettier-ignore
  const timer = setInterval(once, EVERY_MS).unref();
  return () => clearInterval(timer);
}
