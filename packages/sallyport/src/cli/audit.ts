/** `sallyport audit tail|search`; the rest of `audit` is in files of its own. */
import { setTimeout as wait } from "node:timers/promises";
import type { Command } from "commander";
import type { AuditRecordView } from "@sallyport/protocol/contract";
import { parseDurationMs } from "@sallyport/protocol/contract";
import { addAuditFiles } from "./audit-files.ts";
import { addAuditWitness } from "./audit-witness.ts";
import { withClient } from "./cli.ts";
import type { Cli } from "./cli.ts";
import { UsageMistake } from "./failure.ts";
import { wholeNumber, withServer } from "./options.ts";
import type { ServerOptions } from "./options.ts";
import { show } from "./print.ts";

const FOLLOW_MS = 1_000;

interface TailOptions extends ServerOptions {
  readonly lines: number;
  readonly follow?: boolean;
}

interface SearchOptions extends ServerOptions {
  readonly actor?: string;
  readonly principal?: string;
  readonly type?: string;
  readonly code?: string;
  readonly env?: string;
  readonly model?: string;
  readonly address?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit: number;
}

export function addAudit(program: Command, cli: Cli): void {
  const audit = program.command("audit").description("read and verify the ledger");

  withServer(audit.command("tail"))
    .description("print the newest records, oldest first")
    .option("-n, --lines <n>", "how many", wholeNumber, 20)
    .option("-f, --follow", "go on with what is recorded from now on")
    .action((options: TailOptions) => tail(cli, options));

  withServer(audit.command("search"))
    .description("find records, newest first")
    .option("--actor <actor>", "who: key:<id>, principal:<id>, os:<user>, gateway")
    .option("--principal <id>", "the key's owner")
    .option("--type <type>", "event type, such as key.issued")
    .option("--code <code>", "problem code, such as model_denied")
    .option("--env <environment>", "environment")
    .option("--model <name>", "model")
    .option("--address <address>", "client address")
    .option("--since <when>", "from this time on: 1h, 7d, or 2026-01-31T12:00Z")
    .option("--until <when>", "up to this time")
    .option("--limit <n>", "most records", wholeNumber, 100)
    .action(async (options: SearchOptions) => {
      const { actor, principal, type, code, env: environment, model, address, limit } = options;
      const now = Date.now();
      const times = { since: timeMs(options.since, now), until: timeMs(options.until, now) };
      const query = { actor, principal, type, code, environment, model, address, limit, ...times };
      const found = await withClient(cli, options, (client) => client.call("audit.search", { query }));
      show(cli.io, options.json, found, () =>
        found.records.length === 0 ? ["no records"] : found.records.map(recordLine),
      );
    });

  addAuditFiles(audit, cli);
  addAuditWitness(audit, cli);
}

async function tail(cli: Cli, options: TailOptions): Promise<void> {
  const print = (records: readonly AuditRecordView[]): void => {
    for (const record of records) cli.io.out(options.json ? JSON.stringify(record) : recordLine(record));
  };
  await withClient(cli, options, async (client) => {
    const { records } = await client.call("audit.search", {
      query: { limit: Math.max(1, options.lines), order: "newest" },
    });
    print(records.slice(0, options.lines).toReversed());
    let after = records[0]?.seq ?? 0;
    while (options.follow) {
      await wait(FOLLOW_MS);
      const next = await client.call("audit.search", { query: { after, limit: 1_000, order: "oldest" } });
      print(next.records);
      after = next.records.at(-1)?.seq ?? after;
    }
  });
}

function recordLine(record: AuditRecordView): string {
  const fields = Object.entries(record.fields).map(
    ([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return [record.seq, record.at, record.environment, record.type, record.actor, ...fields].join(" ");
}

/** A duration back from now, or a time; epoch ms. */
function timeMs(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const agoMs = parseDurationMs(text);
  const timeOf = agoMs === undefined ? Date.parse(text) : now - agoMs;
  if (Number.isNaN(timeOf))
    throw new UsageMistake(`${text} is neither a duration such as 1h nor a time such as 2026-01-31T12:00Z`);
  return timeOf;
}
