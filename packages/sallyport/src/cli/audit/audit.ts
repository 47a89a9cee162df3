/** `sallyport audit`: joins its commands, which have a file each. */
import type { Command } from "commander";
import { addAuditFiles } from "./audit-files.ts";
import { addAuditSearch, addAuditTail } from "./audit-records.ts";
import { addAuditRepair } from "./audit-repair.ts";
import { addAuditWitness } from "./audit-witness.ts";
import type { Cli } from "../terminal/cli.ts";

export function addAudit(program: Command, cli: Cli): void {
  const audit = program.command("audit").description("search, export and verify the audit log");

  addAuditTail(audit, cli);
  addAuditSearch(audit, cli);

  addAuditFiles(audit, cli);
  addAuditRepair(audit, cli);
  addAuditWitness(audit, cli);
}
