/** `sallyport access list`: who may do what, by which role or assignment, granted by whom, since when, last used. */
import type { Command } from "commander";
import type { AdminClient } from "@sallyport/client";
import type { AccessView } from "@sallyport/contract";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { show, table } from "../terminal/print.ts";
import { withProgress } from "../terminal/progress.ts";
import { relativeTime } from "../terminal/relative-time.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { csvCell } from "../usage/usage-csv.ts";

interface AccessOptions extends ServerOptions {
  readonly env?: string;
  readonly asOf?: string;
  readonly csv?: boolean;
}

export function addAccess(program: Command, cli: Cli): void {
  const access = program.command("access").description("show who may do what");
  withServer(access.command("list"))
    .description("list who may do what: by which grant, granted by whom, since when, last used")
    .option("--env <environment>", "one environment")
    .option("--csv", "print CSV")
    .option("--as-of <time>", "not available: the audit log does not contain what past grants contained")
    .action((options: AccessOptions) => listAccess(cli, options));
}

async function listAccess(cli: Cli, options: AccessOptions): Promise<void> {
  const { io } = cli;
  if (options.asOf !== undefined)
    throw new UsageMistake(
      "access as of a past time is not available: the audit log names past assignments, and not what they granted",
      "leave out --as-of for the present access, or read the changes: `sallyport audit search --type assignment.created`",
    );
  if (options.csv && options.json) throw new UsageMistake("--json and --csv exclude each other", "use one of them");
  const rows = await withProgress(io, { label: "listing access", isJson: options.json || options.csv }, () =>
    withClient(cli, options, (client) => allAccess(client, options.env)),
  );
  if (options.csv) for (const line of accessCsv(rows)) io.out(line);
  else
    show(io, options.json, { access: rows }, () =>
      table(
        ["WHO", "ENV", "PERMISSION", "MODEL", "BY", "GRANTED-BY", "SINCE", "LAST-USED"],
        rows.map((row) => [
          row.name,
          row.environment,
          row.permission,
          row.model ?? "-",
          row.by,
          row.grantedBy ?? "unknown",
          row.since === null ? "unknown" : relativeTime(row.since),
          relativeTime(row.lastUsed),
        ]),
        "no one may do anything",
      ),
    );
}

async function allAccess(client: AdminClient, environment: string | undefined): Promise<readonly AccessView[]> {
  const all: AccessView[] = [];
  for (let after: string | undefined; ;) {
    const { access, next } = await client.call("access.list", { query: { environment, after } });
    all.push(...access);
    if (next === null) return all;
    after = next;
  }
}

const COLUMNS = [
  "subject",
  "name",
  "environment",
  "permission",
  "model",
  "by",
  "grantedBy",
  "since",
  "lastUsed",
] as const;

function accessCsv(rows: readonly AccessView[]): string[] {
  return [COLUMNS.join(","), ...rows.map((row) => COLUMNS.map((column) => csvCell(row[column] ?? "")).join(","))];
}
