/** `sallyport rekey --kek|--pepper` */
import type { Command } from "commander";
import type { Cli } from "../terminal/cli.ts";
import { adminSocket, isAnswered, readSettings } from "../terminal/connect.ts";
import { refuseBesideServer } from "../terminal/failure.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { facts, listText, show, table, warn } from "../terminal/print.ts";
import { withProgress } from "../terminal/progress.ts";

interface RekeyOptions extends ServerOptions {
  readonly kek?: boolean;
  readonly pepper?: boolean;
  readonly to?: string;
  readonly env?: string;
}

export function addRekey(program: Command, cli: Cli): void {
  withServer(program.command("rekey"))
    .description("give the secrets at rest new keys, with the server stopped; killed, it goes on when run again")
    .option("--kek", "re-encrypt all secrets under another key-encryption key")
    .option("--to <source>", "its source: file:PATH, env:NAME or command:PATH (default: a new one in the same file)")
    .option("--pepper", "a new pepper for new keys; old keys go on until none needs the old one")
    .option("--env <environment>", "the pepper of this environment only")
    .action(async (options: RekeyOptions) => {
      if (options.kek === options.pepper)
        throw new UsageMistake(
          "one of --kek and --pepper is needed",
          "add --kek to re-encrypt all secrets, or --pepper for a new pepper",
        );
      if (options.kek && options.env !== undefined) throw new UsageMistake("--env goes with --pepper");
      if (options.pepper && options.to !== undefined) throw new UsageMistake("--to goes with --kek");
      const settings = await readSettings(options, cli.io.env);
      if (await isAnswered(adminSocket(settings))) refuseBesideServer(settings.dataDirectory);
      await (options.kek ? rekeyKek(cli, options, settings) : rekeyPeppers(cli, options, settings));
    });
}

type Settings = Awaited<ReturnType<typeof readSettings>>;

async function rekeyKek(cli: Cli, options: RekeyOptions, settings: Settings): Promise<void> {
  const { parseKeySource, KEY_SOURCE_WANTED } = await import("../../config/key-source.ts");
  const to = options.to === undefined ? null : parseKeySource(options.to);
  if (to === undefined) throw new UsageMistake(`--to ${KEY_SOURCE_WANTED}`);
  const { rekey } = await import("../../compose/rekey.ts");
  const work = { label: "encrypting again", isJson: options.json };
  const done = await withProgress(cli.io, work, (onProgress) =>
    rekey(settings, to, (count, total) => onProgress("records", count, total)),
  );
  show(cli.io, options.json, done, () => facts({ "key before": done.from, "key now": done.to, records: done.records }));
  if (to !== null) warn(cli.io, `before the next start, the settings must say: keyEncryptionKey: ${done.source}`);
}

async function rekeyPeppers(cli: Cli, options: RekeyOptions, settings: Settings): Promise<void> {
  const { rotatePeppers } = await import("../../compose/rekey.ts");
  const peppers = await rotatePeppers(settings, options.env ?? null);
  show(cli.io, options.json, { peppers }, () =>
    table(
      ["ENVIRONMENT", "PEPPER NOW", "LET GO"],
      peppers.map(({ environment, version, dropped }) => [environment, `${version}`, listText(dropped.map(String))]),
      "no environment has a pepper",
    ),
  );
}
