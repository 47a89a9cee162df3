/** `sallyport init` */
import type { Command } from "commander";
import { Problem } from "@sallyport/protocol";
import type { Cli } from "../terminal/cli.ts";
import { readSettings } from "../terminal/connect.ts";
import { withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { prepareOnce, RECOVERY_KEY_PLACE } from "../terminal/show-once.ts";
import type { OnceOptions } from "../terminal/show-once.ts";

export function addInit(program: Command, cli: Cli): void {
  withServer(program.command("init"))
    .description("create the data directory and print the recovery admin key once")
    .option("--out <file>", "write the key to a new file, readable by its owner only")
    .action(async (options: ServerOptions & OnceOptions) => {
      const settings = await readSettings(options, cli.io.env);
      const { initialize, isInitialized } = await import("../../compose.ts");
      if (isInitialized(settings.dataDirectory)) {
        throw new Problem(
          "already_exists",
          `${settings.dataDirectory} is initialised; \`sallyport admin reset\` makes a new admin key`,
        );
      }
      const once = prepareOnce(cli.io, options);
      let undoInitialize = (): void => {};
      try {
        const { adminKey, dataDirectory, environment, undo } = await initialize(settings);
        undoInitialize = undo;
        once.show({ adminKey: adminKey.reveal(), dataDirectory, environment }, "adminKey", RECOVERY_KEY_PLACE);
      } catch (failure) {
        // If the recovery key was not shown, the directory would block the next attempt.
        undoInitialize();
        once.abandon();
        throw failure;
      }
    });
}
