/** `sallyport audit tail|search|verify` */
import type { Command } from "commander";
import { addAuditSearch, addAuditTail } from "./audit-records.ts";
import type { Cli } from "./cli.ts";
import { readSettings } from "./connect.ts";
import { withServer } from "./options.ts";
import type { ServerOptions } from "./options.ts";
import { facts, show } from "./print.ts";

export function addAudit(program: Command, cli: Cli): void {
  const audit = program.command("audit").description("read and verify the ledger");

  addAuditTail(audit, cli);
  addAuditSearch(audit, cli);

  withServer(audit.command("verify"))
    .description("verify the whole ledger from its files, beside a running server or without one")
    .action(async (options: ServerOptions) => {
      const { dataDirectory } = await readSettings(options, cli.io.env);
      const { verifyDirectory } = await import("../compose.ts");
      const verdict = await verifyDirectory(dataDirectory);
      const { damage } = verdict;
      show(cli.io, options.json, verdict, () => [
        ...facts({ ledger: verdict.ok ? "whole" : "DAMAGED", records: verdict.records }),
        ...(damage ? facts({ "first damage": `record ${damage.seq} in ${damage.file}: ${damage.reason}` }) : []),
        ...verdict.cannotShow.map((sentence) => `not shown by this: ${sentence}`),
      ]);
      if (!verdict.ok) cli.found();
    });
}
