/** The webhook, opened from settings: loaded only where one is set. */
import type { Settings } from "../config/settings.ts";
import { systemClock } from "../kernel/clock.ts";
import { randomBase62 } from "../kernel/ids.ts";
import type { Log } from "../kernel/log.ts";
import { makePoster } from "../kernel/post-json.ts";
import { readSecret } from "./read-secret.ts";
import { Webhook } from "../outlets/notices/webhook.ts";

/** Throws `store_unavailable` where the secret cannot be read: nothing is sent that its receiver cannot verify. */
export function openWebhook({ url, secret }: NonNullable<Settings["notices"]>, log: Log): Webhook {
  return new Webhook({
    clock: systemClock,
    poster: makePoster(url),
    secret: readSecret(secret, "the secret of notices"),
    newId: () => randomBase62(22),
    after(ms, then) {
      const timer = setTimeout(then, ms).unref();
      return { cancel: () => clearTimeout(timer) };
    },
    onTrouble: (reason) => log.warn({ reason }, "a notice could not be delivered; it is tried again"),
    onRecovery: () => log.info("notices are delivered again"),
    onDropped: (type, reason) =>
      log.error({ type, reason }, "a notice could not be delivered; the audit log has the event"),
  });
}
