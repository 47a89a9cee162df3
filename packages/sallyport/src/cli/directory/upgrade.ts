/** `sallyport upgrade`: brings the database of a stopped gateway to this program's schema. Other commands never do. */
import type { Command } from "commander";
import type { Cli } from "../terminal/cli.ts";
import { readSettings } from "../terminal/connect.ts";
import { withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { show } from "../terminal/print.ts";
import { withProgress } from "../terminal/progress.ts";

export function addUpgrade(program: Command, cli: Cli): void {
  withServer(program.command("upgrade"))
    .description("upgrade the database of a stopped gateway to this version, and keep a copy of it")
    .action(async (options: ServerOptions) => {
      const settings = await readSettings(options, cli.io.env);
      const { upgradeDirectory } = await import("../../compose.ts");
      const { from, to } = await withProgress(cli.io, { label: "upgrading the database", isJson: options.json }, () =>
        upgradeDirectory(settings),
      );
      show(cli.io, options.json, { from, to }, () => [
        from === to
          ? `the database has schema ${to} already`
          : `the database was upgraded from schema ${from} to ${to}; a copy is in ${settings.dataDirectory}/backups`,
      ]);
    });
}
