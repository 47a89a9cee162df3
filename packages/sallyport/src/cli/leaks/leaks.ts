/** `sallyport leaks report|list`: a key was found where others can read it. */
import type { Command } from "commander";
import { parseKeyText } from "@sallyport/protocol";
import type { LeakView } from "@sallyport/contract";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { wholeNumberOption, withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { show, table } from "../terminal/print.ts";
import { relativeTime } from "../terminal/relative-time.ts";
import type { Line } from "../terminal/styled-line.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { timeMsOf } from "../terminal/when.ts";

interface ReportOptions extends ServerOptions {
  readonly url?: string;
}

interface ListOptions extends ServerOptions {
  readonly since?: string;
  readonly limit: number;
}

export function addLeaks(program: Command, cli: Cli): void {
  const leaks = program.command("leaks").description("report leaked keys, and list reports and keys found in traffic");

  withServer(leaks.command("report <key>"))
    .description("report a key as leaked: it is stopped as policy says, and an incident is opened")
    .option("--url <url>", "where the key was found")
    .action((key: string, options: ReportOptions) => report(cli, key, options))
    .addHelpText("after", "\nKEY is the id or name of a key, or - to read the whole key from standard input.");

  withServer(leaks.command("list"))
    .description("list leak reports and keys found in traffic, newest first, with what was done")
    .option("--since <when>", "from this time on: 7d, or 2026-01-31T12:00Z")
    .option("--limit <n>", "maximum number of entries", wholeNumberOption, 50)
    .action(async (options: ListOptions) => {
      const since = timeMsOf(options.since, Date.now());
      const query = { limit: options.limit, ...(since === undefined ? {} : { since }) };
      const found = await withClient(cli, options, (client) => client.call("leaks.list", { query }));
      show(cli.io, options.json, found, () => describeLeaks(found.leaks));
    });
}

async function report(cli: Cli, key: string, options: ReportOptions): Promise<void> {
  // A key in an argument stands in the shell's history and in the list of processes.
  if (parseKeyText(key))
    throw new UsageMistake(
      "the whole key is in the command line, where other users can see it",
      "give its id, or pass the key on standard input: `sallyport leaks report -`",
    );
  const named = key === "-" ? { key: cli.io.readText("-").trim() } : { keyId: key };
  const body = { ...named, ...(options.url === undefined ? {} : { url: options.url }) };
  const done = await withClient(cli, options, (client) => client.call("leaks.report", { body }));
  show(cli.io, options.json, done, () => describeReport(done));
  if (done.verdict !== "working") cli.found();
}

interface Reported {
  readonly receipt: number | null;
  readonly verdict: "working" | "over" | "unproven" | "no_key";
  readonly keyId: string | null;
  readonly environment: string | null;
  readonly action: string;
  readonly incidentId: string | null;
}

function describeReport({ receipt, verdict, keyId, environment, action, incidentId }: Reported): Line[] {
  const record = receipt === null ? [] : [`receipt: record ${receipt} of the audit log`];
  const named = `${keyId ?? "the key"} of ${environment ?? "another environment"}`;
  switch (verdict) {
    case "no_key":
      return ["this is no key of an environment that you administer; nothing else was done", ...record];
    case "unproven":
      return [`${named}: the secret is not this key's; nothing was done`, ...record];
    case "over":
      return [`${named}: the secret opens nothing any more; nothing was done`, ...record];
    case "working":
      return [
        action === "none"
          ? `${named} was stopped before`
          : `${named}: ${SAYS[action] ?? `the policy's action ${action} was applied`}`,
        ...(incidentId === null
          ? []
          : [
              `incident ${incidentId} is open`,
              `replace the key: sallyport incident close ${incidentId} --reissue --deliver 2h`,
            ]),
        ...record,
      ];
  }
}

const SAYS: Readonly<Record<string, string>> = {
  suspend: "suspended",
  revoke: "revoked",
  networks: "limited to the networks it is known from; suspended in 24 hours if the incident is still open",
  notify: "the policy asks only for a notice; the key still works",
  note: "the policy asks only for a record; the key still works",
};

function describeLeaks(leaks: readonly LeakView[]): Line[] {
  return table(
    ["RECEIPT", "WHEN", "ENV", "WHAT", "KEYS", "BY", "ACTION", "INCIDENT", "WHERE"],
    leaks.map((one) => [
      String(one.receipt),
      relativeTime(one.at),
      one.environment,
      one.type.slice("leak.".length),
      one.keyIds.join(" ") || "-",
      one.by,
      one.action,
      one.incidentId ?? "-",
      one.url ?? one.source ?? "-",
    ]),
    "no leaks were reported or found",
  );
}
