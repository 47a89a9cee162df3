/** `sallyport audit`: its commands are in files of their own. */
import type { Command } from "commander";
import { addAuditFiles } from "./audit-files.ts";
import { addAuditSearch, addAuditTail } from "./audit-records.ts";
import { addAuditRepair } from "./audit-repair.ts";
import { addAuditWitness } from "./audit-witness.ts";
import type { Cli } from "../terminal/cli.ts";

export function addAudit(program: Command, cli: Cli): void {
  const audit = program.command("audit").description("read and verify the ledger");

  addAuditTail(audit, cli);
  addAuditSearch(audit, cli);

  addAuditFiles(audit, cli);
  addAuditRepair(audit, cli);
  addAuditWitness(audit, cli);
}
