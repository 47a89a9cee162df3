/** `sallyport console`: a link that opens the console once. */
import type { Command } from "commander";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { show } from "../terminal/print.ts";

export function addConsole(program: Command, cli: Cli): void {
  withServer(program.command("console"))
    .description("print a link that opens the console in a browser once, within five minutes, with your rights")
    .action((options: ServerOptions) =>
      withClient(cli, options, async (client) => {
        const link = await client.call("openConsole", {});
        show(cli.io, options.json, link, () => [
          link.url,
          "The link works once. Open it within five minutes, in a browser on a machine that reaches this address.",
        ]);
      }),
    );
}
