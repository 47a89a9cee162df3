/** `sallyport audit witness|cosign`: another party that remembers what the log was. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Command } from "commander";
import { Problem } from "@sallyport/protocol";
import type { Cli } from "../terminal/cli.ts";
import { readSettings } from "../terminal/connect.ts";
import { listOption, withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { facts, show } from "../terminal/print.ts";

interface WitnessOptions {
  readonly name: string;
  readonly dir: string;
  readonly log?: readonly string[];
  readonly listen: string;
  readonly json?: boolean;
}

interface CosignOptions extends ServerOptions {
  readonly witness: string;
  readonly witnessKey: string;
  readonly env: string;
}

export function addAuditWitness(audit: Command, cli: Cli): void {
  audit
    .command("witness")
    .description("run a witness that cosigns checkpoints of append-only logs (C2SP tlog-witness)")
    .requiredOption("--name <name>", "its name, such as witness.example/w1")
    .requiredOption("--dir <dir>", "folder for its key and its state")
    .addOption(listOption("--log <key>", "verifier keys of logs, or files of them: what 'audit keys' prints"))
    .option("--listen <address>", "host:port; beyond loopback, use a reverse proxy with TLS", "127.0.0.1:11437")
    .option("--json", "print JSON")
    .action(async ({ name, dir, log = [], listen, json }: WitnessOptions) => {
      const { openWitness } = await import("../../compose/witness.ts");
      const fault = (cause: unknown): void => cli.io.err(cause instanceof Error ? cause.message : String(cause));
      const { server, key } = openWitness({ name, folder: dir, logs: log, fault });
      const [, host = "", port = ""] = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(listen) ?? [];
      if (host === "") throw new Problem("input_invalid", "--listen is host:port, such as 127.0.0.1:11437");
      server.listen(Number(port), host);
      await once(server, "listening");
      const { port: bound } = server.address() as AddressInfo;
      const url = `http://${host.includes(":") ? `[${host}]` : host}:${bound}`;
      show(cli.io, json, { name, url, key, logs: log.length }, () =>
        facts({ witness: name, url, "verifier key": key, logs: log.length }),
      );
      await new Promise((resolve) => {
        process.once("SIGINT", resolve);
        process.once("SIGTERM", resolve);
      });
      server.close();
      server.closeAllConnections();
    });

  withServer(audit.command("cosign"))
    .description("request a witness's cosignature for the newest checkpoint of a log; run it from a timer")
    .requiredOption("--witness <url>", "the witness")
    .requiredOption("--witness-key <key>", "its verifier key, or a file of it")
    .requiredOption("--env <environment>", "whose log")
    .action(async (options: CosignOptions) => {
      const settings = await readSettings(options, cli.io.env);
      const { verifiersOf } = await import("@sallyport/ledger/node");
      const { cosign } = await import("../../compose/witness.ts");
      const witness = verifiersOf(options.witnessKey)[0]!;
      const checkpoint = await cosign(settings, { url: options.witness, witness, environment: options.env });
      show(cli.io, options.json, { environment: options.env, checkpoint }, () => checkpoint.trimEnd().split("\n"));
    });
}
