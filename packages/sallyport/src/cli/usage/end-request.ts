/** `sallyport requests end` */
import type { Command } from "commander";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { show } from "../terminal/print.ts";

export function addRequests(program: Command, cli: Cli): void {
  const requests = program.command("requests").description("requests that run or wait");
  withServer(requests.command("end <id>"))
    .description("end a request that runs or waits, by its id (of sallyport top --json, or x-request-id)")
    .action(async (id: string, options: ServerOptions) => {
      const ended = await withClient(cli, options, (client) => client.call("requests.end", { params: { id } }));
      show(cli.io, options.json, ended, () => [
        ended.isEnded
          ? `Ended request ${ended.id} of key ${ended.key} in ${ended.environment}.`
          : `Request ${ended.id} was over before it could be ended.`,
      ]);
    });
}
