/** `sallyport audit search|tail`: searches and follows the audit log, with the same filters. */
import type { Command } from "commander";
import type { AuditRecordView } from "@sallyport/contract";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { wholeNumberOption, withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { show } from "../terminal/print.ts";
import { withProgress } from "../terminal/progress.ts";
import { timeMsOf } from "../terminal/when.ts";

interface FilterOptions extends ServerOptions {
  readonly keyId?: string;
  readonly actor?: string;
  readonly principal?: string;
  readonly type?: string;
  readonly code?: string;
  readonly env?: string;
  readonly model?: string;
  readonly address?: string;
  readonly since?: string;
  readonly until?: string;
}

interface SearchOptions extends FilterOptions {
  readonly limit: number;
  readonly before?: number;
  readonly after?: number;
}

interface TailOptions extends FilterOptions {
  readonly lines: number;
  readonly follow?: boolean;
}

export function addAuditSearch(audit: Command, cli: Cli): void {
  withFilter(audit.command("search"))
    .description("find records, newest first")
    .option("--limit <n>", "maximum number of records", wholeNumberOption, 100)
    .option("--before <seq>", "only records before this number: the next page", wholeNumberOption)
    .option("--after <seq>", "only records after this number, oldest first", wholeNumberOption)
    .action(async (options: SearchOptions) => {
      const { limit, before, after } = options;
      const order = after === undefined ? ("newest" as const) : ("oldest" as const);
      const query = { ...filterOf(options), limit, before, after, order };
      const work = { label: "searching the audit log", isJson: options.json };
      const found = await withProgress(cli.io, work, () =>
        withClient(cli, options, (client) => client.call("audit.search", { query })),
      );
      show(cli.io, options.json, found, () =>
        found.records.length === 0 ? ["no records"] : found.records.map(recordLine),
      );
      if (!options.json && found.next !== null)
        cli.io.err(`there may be more: --${after === undefined ? "before" : "after"} ${found.next}`);
    });
}

export function addAuditTail(audit: Command, cli: Cli): void {
  withFilter(audit.command("tail"))
    .description("print the newest records, oldest first")
    .option("-n, --lines <n>", "number of records", wholeNumberOption, 20)
    .option("-f, --follow", "keep printing new records")
    .action((options: TailOptions) => tail(cli, options));
}

async function tail(cli: Cli, options: TailOptions): Promise<void> {
  const filter = filterOf(options);
  const print = (record: AuditRecordView): void =>
    cli.io.out(options.json ? JSON.stringify(record) : recordLine(record));
  await withClient(cli, options, async (client) => {
    const limit = Math.max(1, options.lines);
    const { records } = await client.call("audit.search", { query: { ...filter, limit, order: "newest" } });
    for (const record of records.slice(0, options.lines).toReversed()) print(record);
    if (!options.follow) return;
    // From the last that was shown; where nothing fits yet, from now on.
    const after = records[0]?.seq;
    try {
      for await (const record of client.tail({ ...filter, ...(after === undefined ? {} : { after }) })) print(record);
    } catch (cause) {
      const { TailEnded } = await import("@sallyport/client");
      if (!(cause instanceof TailEnded)) throw cause;
      cli.io.err(`the server ended the tail: ${cause.message} (${cause.code})`);
      cli.found();
    }
  });
}

function withFilter(command: Command): Command {
  return withServer(command)
    .option("--key-id <id>", "records of this key (id or name): what it did, and what was done to it")
    .option("--actor <actor>", "the actor: key:<id>, principal:<id>, os:<user>, gateway")
    .option("--principal <id>", "records of this user or service and of its keys")
    .option("--type <type>", "event type, such as key.issued")
    .option("--code <code>", "problem code, such as model_denied")
    .option("--env <environment>", "environment")
    .option("--model <name>", "model")
    .option("--address <address>", "client address, or a network such as 10.0.0.0/8")
    .option("--since <when>", "from this time on: 1h, 7d, or 2026-01-31T12:00Z")
    .option("--until <when>", "up to this time");
}

function filterOf(options: FilterOptions) {
  const { keyId: key, actor, principal, type, code, env: environment, model, address } = options;
  const now = Date.now();
  const times = { since: timeMsOf(options.since, now), until: timeMsOf(options.until, now) };
  return { key, actor, principal, type, code, environment, model, address, ...times };
}

/** Fields hold times as epoch ms; people read them as RFC 3339. */
function isTime(name: string, value: unknown): value is number {
  return /(?:_at|At|_until)$/.test(name) && typeof value === "number" && value > 1e11 && value <= 8.64e15;
}

function isoText(ms: number): string {
  return new Date(ms).toISOString();
}

function recordLine(record: AuditRecordView): string {
  const fields = Object.entries(record.fields).map(
    ([name, value]) =>
      `${name}=${typeof value === "string" ? value : isTime(name, value) ? isoText(value) : JSON.stringify(value)}`,
  );
  return [record.seq, record.at, record.environment, record.type, record.actor, ...fields].join(" ");
}
