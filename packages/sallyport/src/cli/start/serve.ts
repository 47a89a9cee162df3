/** `sallyport serve`: runs until a signal ends it, then lets running requests end within the drain bound. */
import type { Command } from "commander";
import type { Cli } from "../terminal/cli.ts";
import { readSettings } from "../terminal/connect.ts";
import { listOption } from "../terminal/options.ts";
import { EarlySignals, untilSignalled } from "./until-signalled.ts";

export function addServe(program: Command, cli: Cli): void {
  withListeners(program.command("serve"))
    .description("run the gateway")
    .action(async (options: Record<string, unknown>) => {
      const early = new EarlySignals();
      // Files of both are read beside each other.
      const [settings, { initialize, isInitialized, openGateway }] = await Promise.all([
        readSettings(options, cli.io.env),
        import("../../compose.ts"),
      ]);
      let undoInitialize = (): void => {};
      const isNew = !isInitialized(settings.dataDirectory);
      if (isNew) {
        // The key made here is thrown away unseen: a log is no place for it.
        const { undo } = await initialize(settings);
        undoInitialize = undo;
      }
      const gateway = await openGateway(settings, { rehearses: true }).catch((failure: unknown) => {
        early.release();
        undoInitialize();
        throw failure;
      });
      cli.io.neverBlock();
      if (isNew)
        cli.io.err(
          `sallyport: initialised ${settings.dataDirectory}; \`sallyport admin reset\` makes the recovery admin key`,
        );
      const ended = untilSignalled(cli, gateway, settings.drainMs, { early });
      cli.io.out(`sallyport ready data=${gateway.dataUrl} admin=${gateway.adminUrl}`);
      await ended;
    });
}

/** The options of a command that runs the gateway. */
export function withListeners(command: Command): Command {
  return command
    .option("--data <dir>", "data directory (SALLYPORT_DATA, else ~/.sallyport)")
    .option("--settings <file>", "settings file (SALLYPORT_SETTINGS, else sallyport.yaml in the data directory)")
    .option("--listen <host:port>", "address for requests (default: 127.0.0.1:11435)")
    .option("--admin-listen <host:port>", "address of the admin API (default: 127.0.0.1:11436)")
    .option("--policy <file>", "policy file, applied whole at start, and on SIGHUP where no terminal is attached")
    .option("--tls-certificate <file>", "PEM certificate chain")
    .option("--tls-key <file>", "PEM private key")
    .addOption(listOption("--trusted-proxies <networks>", "proxies in front; every other peer is dropped"))
    .addOption(listOption("--hosts <names>", "host names to accept in addition to localhost"))
    .addOption(listOption("--cors-origins <origins>", "origins allowed by CORS"))
    .addOption(listOption("--environments <names>", "environments this listener serves"))
    .option("--log <level>", "debug, info, warn, error or silent")
    .option("--drain <duration>", "how long running requests have to finish at a stop (default: 25s)");
}
