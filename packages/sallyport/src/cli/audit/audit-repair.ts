/** `sallyport audit repair` */
import type { Command } from "commander";
import type { Cli } from "../terminal/cli.ts";
import { adminSocket, isAnswered, readSettings } from "../terminal/connect.ts";
import { refuseBesideServer } from "../terminal/failure.ts";
import { withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { facts, show } from "../terminal/print.ts";
import { error, ok } from "../terminal/styled-line.ts";
import { withProgress } from "../terminal/progress.ts";

export function addAuditRepair(audit: Command, cli: Cli): void {
  withServer(audit.command("repair"))
    .description(
      "repair the database's index of the audit logs, with the server stopped: removes logs whose names are not valid names of environments, and rebuilds changed or deleted rows from the records; records are never changed",
    )
    .action(async (options: ServerOptions) => {
      const settings = await readSettings(options, cli.io.env);
      if (await isAnswered(adminSocket(settings))) refuseBesideServer(settings.dataDirectory);
      const { repairAudit } = await import("../../store/directory/repair.ts");
      const done = await withProgress(cli.io, { label: "repairing the audit log", isJson: options.json }, () =>
        repairAudit(settings, (text) => cli.io.err(text)),
      );
      show(cli.io, options.json, done, () => [
        ...done.removed.map(
          ({ log, records }) =>
            `removed the log ${JSON.stringify(log)} (${records} records): its name is not a valid name of an environment`,
        ),
        ...done.rebuilt.map(({ log, records }) => `rebuilt the row of the log ${log} from ${records} records`),
        ...(done.removed.length + done.rebuilt.length === 0 ? ["nothing needed repair"] : []),
        ...facts({ "audit log": done.ok ? ok("whole") : error("DAMAGED"), records: done.records }),
        ...(done.firstDamage ? facts({ "first damage": `${done.firstDamage.file}: ${done.firstDamage.reason}` }) : []),
      ]);
      if (!done.ok) cli.found();
    });
}
