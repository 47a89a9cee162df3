/**
 * What a running gateway does for its keys by itself: all are read once, ahead of their use, uses are written down every
 * few seconds, what is stale is ended.
 */
import { Problem } from "@sallyport/protocol";
import { causeOf } from "../kernel/log.ts";
import type { Log } from "../kernel/log.ts";
import { LongWork } from "../kernel/long-work.ts";
import { fillKeyTable } from "../keys/fill-table.ts";
import type { Core } from "./core.ts";

const FLUSH_MS = 5_000;
/** What a delivery link delivers is deleted soon after the link can no longer be opened. */
const TIDY_MS = 60_000;
const SWEEP_MS = 60 * 60_000;
/** Not at once: after weeks of downtime, an administrator may want to look first (`keys sweep --dry-run`). */
const FIRST_SWEEP_MS = 10 * 60_000;

/** The data directory's lock makes it the only one; of several gateways, only the active one changes keys. Returns a function that stops it. */
export function careForKeys(
  {
    keys,
    store,
    uses,
    lifecycle,
    tickets,
    authority,
  }: Pick<Core, "keys" | "store" | "uses" | "lifecycle" | "tickets" | "authority">,
  log: Log,
): () => void {
  const filling = fillKeyTable(keys, (page) => store.reader.keys(page));
  filling.filled.catch((cause: unknown) =>
    log.warn({ cause: causeOf(cause) }, "keys could not be read ahead of their use"),
  );
  let isSweeping = false;
  const sweep = (): void => {
    if (isSweeping || authority?.isActive === false) return;
    isSweeping = true;
    lifecycle
      .sweep({ isDryRun: false })
      .then((findings) =>
        new LongWork().each(findings, ({ keyId, environment, code, action }) =>
          log.warn({ key: keyId, environment, code, action }, "the inactivity policy was applied to a key"),
        ),
      )
      .catch((cause: unknown) => {
        if (cause instanceof Problem && cause.code === "clock_doubtful")
          log.warn(
            "the system clock jumped, or is far from the newest record: keys are not ended automatically until it has been steady for an hour",
          );
        else log.error({ cause: causeOf(cause) }, "applying the inactivity policy failed; it is retried");
      })
      .finally(() => (isSweeping = false));
  };
  const tidy = (): void => {
    if (authority?.isActive === false) return;
    tickets
      .tidy()
      .catch((cause: unknown) => log.error({ cause: causeOf(cause) }, "expired delivery links could not be removed"));
  };
  const tidying = setInterval(tidy, TIDY_MS).unref();
  const flushing = setInterval(() => uses.flush(), FLUSH_MS).unref();
  const first = setTimeout(sweep, FIRST_SWEEP_MS).unref();
  const sweeping = setInterval(sweep, SWEEP_MS).unref();
  return () => {
    filling.stop();
    clearInterval(tidying);
    clearInterval(flushing);
    clearTimeout(first);
    clearInterval(sweeping);
  };
}
