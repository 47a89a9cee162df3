/** `sallyport migrate --to postgres://…|file:PATH|sqlite`: moves the changes of a stopped gateway to a database, or back. */
import type { Command } from "commander";
import type { Cli } from "../terminal/cli.ts";
import { adminSocket, isAnswered, readSettings } from "../terminal/connect.ts";
import { refuseBesideServer } from "../terminal/failure.ts";
import { withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { facts, show, warn } from "../terminal/print.ts";
import { withProgress } from "../terminal/progress.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";

interface MigrateOptions extends ServerOptions {
  readonly to: string;
}

export function addMigrate(program: Command, cli: Cli): void {
  withServer(program.command("migrate"))
    .description(
      "share changes with other gateways through PostgreSQL, or stop doing so; with the server stopped; killed, it goes on when run again",
    )
    .requiredOption("--to <place>", "postgres://USER@HOST/DATABASE, file:PATH with such an address, or sqlite")
    .action(async (options: MigrateOptions) => {
      const settings = await readSettings(options, cli.io.env);
      if (await isAnswered(adminSocket(settings))) refuseBesideServer(settings.dataDirectory);
      const { migrateToPostgres, migrateToSqlite } = await import("../../compose/migrate.ts");
      const address = options.to === "sqlite" ? null : await readAddress(options.to);
      const work = { label: "moving the changes", isJson: options.json };
      const done = await withProgress(cli.io, work, () =>
        address ? migrateToPostgres(settings, address) : migrateToSqlite(settings),
      );
      show(cli.io, options.json, done, () =>
        facts({
          "changes are in": done.to === "postgres" ? "PostgreSQL" : "the data directory alone",
          deployment: done.deployment,
          epoch: done.epoch,
          "rows that give rights": done.rows,
          "digest of them": done.digest,
        }),
      );
      if (done.to === "sqlite") warn(cli.io, "start this gateway without SALLYPORT_DATABASE, and no other copy of it");
      else if (!settings.database) warn(cli.io, "before the next start, set SALLYPORT_DATABASE to the same address");
    });
}

async function readAddress(text: string) {
  const { POSTGRES_WANTED, readDatabaseVariable } = await import("../../config/postgres-address.ts");
  const address = readDatabaseVariable({ SALLYPORT_DATABASE: text }, []);
  if (!address) throw new UsageMistake(`--to ${POSTGRES_WANTED}`, "or name sqlite, to move back to one machine");
  return address;
}
