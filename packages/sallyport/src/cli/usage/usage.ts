/** `sallyport usage`: who used what. */
import type { Command } from "commander";
import type { AdminClient } from "@sallyport/client";
import type { QueryInput, UsageView } from "@sallyport/contract";
import { didYouMean } from "@sallyport/protocol";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { timeMsOf } from "../terminal/when.ts";
import type { PriceList } from "./prices.ts";
import { csvLines } from "./usage-csv.ts";
import { mergeRows, subjectMembers, usageBy } from "./usage-columns.ts";
import type { ReportRow, UsageBy } from "./usage-columns.ts";
import { showOwnUsage } from "./usage-mine.ts";
import type { MineOptions } from "./usage-mine.ts";
import { rebuildUsage } from "./usage-rebuild.ts";
import { markdownLines, subjectOf, tableLines } from "./usage-table.ts";

const formats = ["table", "csv", "json", "markdown"] as const;

interface UsageOptions extends ServerOptions {
  readonly by: string;
  readonly since: string;
  readonly until?: string;
  readonly env?: string;
  readonly key?: string;
  readonly principal?: string;
  readonly team?: string;
  readonly model?: string;
  readonly format?: string;
  readonly prices?: string;
}

interface Report {
  readonly rows: readonly ReportRow[];
  /** First and last day. */
  readonly since: string;
  readonly until: string;
  readonly firstDay: string | null;
}

export function addUsage(program: Command, cli: Cli): void {
  const usage = withServer(program.command("usage"))
    .description("report requests, tokens and compute time by key, owner, team, model, environment or day")
    .option("--by <what>", `one row for each ${usageBy.join(", ")}`, "key")
    .option("--since <time>", "duration such as 30d, or a time; the whole UTC day counts", "30d")
    .option("--until <time>", "duration, or a time; the whole UTC day counts (default: now)")
    .option("--env <environment>", "of one environment")
    .option("--key <id>", "of one key, by id or unique name")
    .option("--principal <principal>", "of one person or service, by id or unique name")
    .option("--team <team>", "of one team")
    .option("--model <model>", "of one model")
    .option("--format <format>", `${formats.join(", ")} (default: table; --json is --format json)`)
    .option("--prices <file>", "price list (YAML): adds a cost to each row")
    .action((options: UsageOptions) => report(cli, options));

  usage
    .command("mine")
    .description("report what this machine's key used, or what you used if you are logged in")
    .option("--since <time>", "duration such as 7d, or a time (default: the last 30 days)")
    .option("--url <url>", "the gateway's address (default: SALLYPORT_URL, then http://127.0.0.1:11435)")
    .option("--env <environment>", "environment, if there are credentials for several")
    .option("--json", "print JSON")
    .action((_options: MineOptions, command: Command) => showOwnUsage(cli, optionsOf(command)));

  withServer(usage.command("rebuild"))
    .description(
      "count usage again from the audit log, whether or not the gateway runs, and correct counters that differ; days that the log does not cover keep their counters",
    )
    .action((_options: ServerOptions, command: Command) => rebuildUsage(cli, optionsOf(command)));
}

/** Of a subcommand. `usage` has read the options that both have, and must not take the others without a word. */
function optionsOf(command: Command): Readonly<Record<string, unknown>> {
  const usage = command.parent!;
  const given = Object.entries(usage.opts()).filter(([name]) => usage.getOptionValueSource(name) === "cli");
  const known = new Set(command.options.map((option) => option.attributeName()));
  for (const [name] of given)
    if (!known.has(name)) throw new UsageMistake(`--${name} is not an option of usage ${command.name()}`);
  return { ...command.opts(), ...Object.fromEntries(given) };
}

async function report(cli: Cli, options: UsageOptions): Promise<void> {
  const by = oneOf("--by", options.by, usageBy);
  const written = oneOf("--format", options.format ?? "table", formats);
  const format = options.json ? "json" : written;
  const prices = options.prices === undefined ? null : (await import("./prices.ts")).readPriceFile(options.prices);
  const read = await withClient(cli, options, (client) => readReport(client, by, prices, queryOf(by, options)));
  const currency = prices?.currency ?? null;
  if (format === "json") return cli.io.out(JSON.stringify({ by, ...read, ...(currency === null ? {} : { currency }) }));
  if (format === "csv") {
    for (const line of csvLines(read.rows, subjectMembers[by], currency)) cli.io.out(line);
    return;
  }
  const lines = format === "markdown" ? markdownLines : tableLines;
  for (const line of [...lines(read.rows, subjectOf(by), currency), "", ...notes(read)]) cli.io.out(line);
}

function oneOf<T extends string>(flag: string, text: string, known: readonly T[]): T {
  const found = known.find((one) => one === text);
  if (found !== undefined) return found;
  throw new UsageMistake(
    `${flag} ${JSON.stringify(text)} is unknown${didYouMean(text, known)}`,
    `known: ${known.join(", ")}`,
  );
}

type Query = QueryInput<"usage.list">;

function queryOf(by: UsageBy, options: UsageOptions): Query {
  const now = Date.now();
  const { env: environment, key, principal, team, model } = options;
  const since = timeMsOf(options.since, now);
  const until = timeMsOf(options.until, now);
  if (since !== undefined && since > (until ?? now)) throw new UsageMistake("--since is later than --until");
  return {
    by,
    since: since === undefined ? undefined : Math.max(0, since),
    until,
    environment,
    key,
    principal,
    team,
    model,
  };
}

async function readReport(client: AdminClient, by: UsageBy, prices: PriceList | null, query: Query): Promise<Report> {
  const all: UsageView[] = [];
  for (let after: string | undefined; ;) {
    // Models have different prices, so each row is divided by model first.
    const asked = { ...query, after, limit: 1_000, ...(prices ? { models: "true" as const } : {}) };
    const { rows, next, ...days } = await client.call("usage.list", { query: asked });
    all.push(...rows);
    if (next === null) return { rows: mergeRows(all, subjectMembers[by], prices?.costOf ?? null), ...days };
    after = next;
  }
}

const DAY_MS = 86_400_000;

function notes({ rows, since, until, firstDay }: Report): string[] {
  const days = (from: string): number => Math.round((Date.parse(until) - Date.parse(from)) / DAY_MS) + 1;
  const covered = firstDay === null ? 0 : days(firstDay);
  const wanted = days(since);
  return [
    `${since} to ${until} (UTC): counters for ${covered} of ${wanted} days${firstDay !== null && covered < wanted ? `, from ${firstDay}` : ""}`,
    ...(rows.some(({ estimated }) => estimated > 0)
      ? ["~ some of these tokens are estimates: the model server reported none"]
      : []),
  ];
}
