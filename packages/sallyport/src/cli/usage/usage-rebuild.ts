/** `sallyport usage rebuild` */
import { setTimeout as sleep } from "node:timers/promises";
import type { UsageRebuildView } from "@sallyport/contract";
import { Problem } from "@sallyport/protocol";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { show } from "../terminal/print.ts";

const LOOK_MS = 100;
/** Between two lines of progress. */
const TOLD_MS = 2_000;

export async function rebuildUsage(cli: Cli, options: ServerOptions): Promise<void> {
  const done = await withClient(cli, options, async (client) => {
    let toldMs = performance.now();
    let view: UsageRebuildView = await client.call("usage.rebuild");
    while (view.state === "running") {
      await sleep(LOOK_MS);
      view = await client.call("usage.rebuilding");
      if (options.json || performance.now() - toldMs < TOLD_MS) continue;
      toldMs = performance.now();
      cli.io.err(`read ${view.records} of ${view.total} records`);
    }
    return view;
  });
  if (done.state !== "done") throw new Problem("store_unavailable", done.failure ?? "the rebuild did not finish");
  const { records, firstDay, corrected } = done;
  show(cli.io, options.json, { records, firstDay, corrected }, () => [
    `read ${records} records of the audit log`,
    firstDay === null
      ? "the audit log covers no whole day: the counters were left as they are"
      : `counters from ${firstDay} on were compared; ${corrected} rows differed${corrected === 0 ? "" : " and were corrected"}`,
  ]);
}
