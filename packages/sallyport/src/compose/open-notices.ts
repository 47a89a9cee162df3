/** The receivers of notices: each is loaded only if the settings configure it. */
import type { Settings } from "../config/settings.ts";
import type { Log } from "../kernel/log.ts";
import type { Core } from "./core.ts";

/** Returns a function that closes it. Throws `store_unavailable` if a secret cannot be read. */
export async function openNotices(
  { notices, mail }: Pick<Settings, "notices" | "mail">,
  core: Pick<Core, "onEvents">,
  log: Log,
): Promise<() => void> {
  const webhook = notices && (await import("./notices.ts")).openWebhook(notices, log);
  const letters = mail && (await import("./mail.ts")).openMail(mail, log);
  const tellers = [webhook, letters].filter((teller) => teller !== null);
  core.onEvents((events) => tellers.forEach((teller) => teller.tell(events)));
  return () => tellers.forEach((teller) => teller.close());
}
