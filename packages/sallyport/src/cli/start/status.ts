/** `sallyport status` */
import type { Command } from "commander";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import type { Answer } from "@sallyport/contract";
import { facts, listText, show, timeText } from "../terminal/print.ts";

type Sink = Answer<"status">["sinks"][number];

export function addStatus(program: Command, cli: Cli): void {
  withServer(program.command("status"))
    .description("say how the gateway is")
    .action(async (options: ServerOptions) => {
      const status = await withClient(cli, options, async (client, kind) => {
        const answer = await client.call("status");
        return { isRunning: kind !== "inside", ...answer };
      });
      show(cli.io, options.json, status, () =>
        facts({
          running: status.isRunning,
          version: status.version,
          ...(status.isRunning
            ? { since: timeText(status.startedAt), data: status.dataListen, admin: status.adminListen }
            : {}),
          "policy epoch": status.epoch,
          environments: listText(status.environments),
          "keys and admin keys": status.keys,
          "store writable": status.isStoreWritable,
          ...(status.damagedRecords > 0
            ? { "damaged records": `${status.damagedRecords} (sallyport doctor names them)` }
            : {}),
          ...Object.fromEntries(status.sinks.map((sink) => [`sink ${sink.name}`, sinkText(sink)])),
          ...(status.openIncidents > 0
            ? { "open incidents": `${status.openIncidents} (sallyport incident list)` }
            : {}),
          ...(status.isRunning ? { "requests running": status.running, "requests queued": status.queued } : {}),
        }),
      );
      if (!status.isStoreWritable || status.damagedRecords > 0) cli.found();
    });
}

function sinkText({ lagRecords, lagSeconds, deadLettered, trouble }: Sink): string {
  const behind = lagRecords === 0 ? "has everything" : `${lagRecords} records, ${lagSeconds} s behind`;
  const refused = deadLettered === 0 ? "" : `, ${deadLettered} rejected`;
  return `${behind}${refused}${trouble === null ? "" : ` (${trouble})`}`;
}
