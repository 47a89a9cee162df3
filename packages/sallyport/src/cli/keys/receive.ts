/** `sallyport keys inspect | receive`: shows and opens a one-time delivery link, over the gateway's data plane. */
import { closeSync, existsSync, openSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Command } from "commander";
import { Option } from "commander";
import type { ReceivedKey } from "@sallyport/client";
import type { Cli } from "../terminal/cli.ts";
import { demandGivenPath } from "../terminal/given-path.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { demandVariable, writeKey } from "./key-formats.ts";
import type { KeyFormat } from "./key-formats.ts";
import { keyFormats } from "./key-formats.ts";
import { facts, printText, show } from "../terminal/print.ts";

interface TicketCommandOptions {
  readonly url?: string;
  readonly json?: boolean;
}
interface ReceiveOptions extends TicketCommandOptions {
  readonly format?: KeyFormat;
  readonly out?: string;
  readonly as?: string;
  readonly identity?: string;
}

const DEFAULT_URL = "http://127.0.0.1:11435";

export function addReceive(keys: Command, cli: Cli): void {
  atGateway(keys.command("inspect <ticket>"))
    .description("show what a delivery link delivers, without opening it (- reads it from standard input)")
    .action(async (ticket: string, options: TicketCommandOptions) => {
      const { inspectTicket } = await import("@sallyport/client");
      const found = await inspectTicket(textOf(ticket), { url: urlOf(cli, options) });
      const iso = (timeMs: number): string => new Date(timeMs).toISOString();
      const told = { ...found, createdAt: iso(found.createdAt), expiresAt: iso(found.expiresAt) };
      show(cli.io, options.json, told, () => facts(told));
      if (told.state !== "unopened") cli.found();
    });

  atGateway(keys.command("receive <ticket>"))
    .description("open a delivery link, once, and write the key (- reads the link from standard input)")
    .addOption(new Option("--format <format>", "how the key is written").choices(keyFormats))
    .option("--as <name>", "name of the variable or secret (default: SALLYPORT_API_KEY)")
    .option("--out <file>", "a new file, readable by its owner only")
    .option("--identity <file>", "age identity file, for a link that was encrypted to a recipient")
    .action((ticket: string, options: ReceiveOptions) => receive(cli, ticket, options));
}

function atGateway(command: Command): Command {
  return command
    .option("--url <url>", "the gateway's address (default: SALLYPORT_URL, then http://127.0.0.1:11435)")
    .option("--json", "print JSON");
}

async function receive(cli: Cli, ticket: string, options: ReceiveOptions): Promise<void> {
  const { out, as = "SALLYPORT_API_KEY", identity } = options;
  demandVariable(as);
  if (identity !== undefined) demandGivenPath(identity);
  const format = options.format ?? (options.json ? "json" : "raw");
  const text = textOf(ticket);
  const identities = identity === undefined ? undefined : readFileSync(identity, "utf8");
  const { inspectTicket, isTrackedByGit, openTicket } = await import("@sallyport/client");
  // A deleted file that git still tracks does not exist, but the next commit would include the key.
  if (out !== undefined && existsSync(dirname(out)) && (await isTrackedByGit(out, cli.io.env)))
    throw new UsageMistake(
      `${out} is tracked by git, which would publish the key`,
      "name a file that git does not track",
    );
  const target = { url: urlOf(cli, options) };
  // Check everything that could fail before opening the link: it opens once.
  const { recipient } = await inspectTicket(text, target);
  if (recipient !== null && identities === undefined)
    throw new UsageMistake(
      `the link is encrypted to ${recipient}`,
      "pass the identity file of that recipient with --identity",
    );
  const file = out === undefined ? undefined : newFile(out);
  const received = await take(out, () => openTicket(text, target));
  const key = await unsealed(received, identities);
  const written = writeKey(format, { ...received, key, as });
  if (file === undefined) return printText(cli.io, written);
  writeFileSync(file, `${written}\n`);
  closeSync(file);
  if (options.json) cli.io.out(JSON.stringify({ id: received.id, environment: received.environment, out }));
  else cli.io.err(`key ${received.id} of ${received.environment} is in ${out}`);
}

/** Nothing was received: takes the empty file away. */
async function take<T>(out: string | undefined, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (failure) {
    if (out !== undefined) unlinkSync(out);
    throw failure;
  }
}

async function unsealed({ content, recipient }: ReceivedKey, identities: string | undefined): Promise<string> {
  if (recipient === null || identities === undefined) return content;
  const { openTextWith } = await import("../../compose/recipient.ts");
  return openTextWith(identities, content);
}

function newFile(path: string): number {
  try {
    return openSync(path, "wx", 0o600);
  } catch (cause) {
    throw new UsageMistake(
      `${path} cannot be created: ${cause instanceof Error ? cause.message : String(cause)}`,
      "name a file that does not exist, in a directory you can write to",
    );
  }
}

function textOf(ticket: string): string {
  return (ticket === "-" ? readFileSync(0, "utf8") : ticket).trim();
}

function urlOf(cli: Cli, { url }: TicketCommandOptions): string {
  return url ?? (cli.io.env["SALLYPORT_URL"] || DEFAULT_URL);
}
