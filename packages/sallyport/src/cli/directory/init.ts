/** `sallyport init` */
import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import { Problem } from "@sallyport/protocol";
import type { Cli } from "../terminal/cli.ts";
import { readSettings } from "../terminal/connect.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { printText } from "../terminal/print.ts";
import { prepareOnce, RECOVERY_KEY_PLACE } from "../terminal/show-once.ts";
import type { OnceOptions } from "../terminal/show-once.ts";

export function addInit(program: Command, cli: Cli): void {
  withServer(program.command("init"))
    .description("create the data directory and print the recovery admin key once")
    .option("--out <file>", "write the key (with --example: the settings) to a new file, readable by its owner only")
    .option("--example", "print a commented sallyport.yaml with every setting instead, and create nothing")
    .action(async (options: ServerOptions & OnceOptions & { example?: boolean }) => {
      if (options.example) return writeExample(cli, options.out);
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

async function writeExample({ io }: Cli, out: string | undefined): Promise<void> {
  const { settingsExample } = await import("../../config/settings-example.ts");
  const text = settingsExample();
  if (out === undefined) return printText(io, text.trimEnd());
  try {
    writeFileSync(out, text, { flag: "wx", mode: 0o600 });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageMistake(`${out} cannot be created: ${reason}`, "name a file that does not exist");
  }
}
