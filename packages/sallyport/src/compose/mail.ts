/** Notices by mail, opened from settings: loaded only where a server is set. */
import type { Settings } from "../config/settings.ts";
import { systemClock } from "../kernel/clock.ts";
import { randomBase62 } from "../kernel/ids.ts";
import type { Log } from "../kernel/log.ts";
import { Mail } from "../outlets/notices/mail.ts";
import { makeSmtpSender } from "../outlets/notices/smtp.ts";
import { readSecret } from "./read-secret.ts";

/** Throws `store_unavailable` where the password cannot be read. It is the server's: its length is not ours to judge. */
export function openMail({ place, password, from, to }: NonNullable<Settings["mail"]>, log: Log): Mail {
  const secret = password && readSecret(password, "the password of the mail server", 1);
  return new Mail({
    clock: systemClock,
    sender: makeSmtpSender({ place, password: secret, from, to }),
    newId: () => randomBase62(22),
    after(ms, then) {
      const timer = setTimeout(then, ms).unref();
      return { cancel: () => clearTimeout(timer) };
    },
    onTrouble: (reason) => log.warn({ reason }, "a notice could not be mailed; it is tried again"),
    onRecovery: () => log.info("notices are mailed again"),
    onDropped: (type, reason) =>
      log.error({ type, reason }, "a notice could not be mailed; the audit log has the event"),
  });
}
