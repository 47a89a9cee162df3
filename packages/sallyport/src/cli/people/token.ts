/** `sallyport token`: a short-lived token for the credential this machine has. */
import type { Command } from "commander";
import { parseDurationMs } from "@sallyport/contract";
import type { Cli } from "../terminal/cli.ts";
import { UsageMistake } from "../terminal/failure.ts";
import { listOption } from "../terminal/options.ts";
import { show } from "../terminal/print.ts";

interface TokenCommandOptions {
  readonly url?: string;
  readonly env?: string;
  readonly ttl?: string;
  readonly allow?: string[];
  readonly model?: string[];
  readonly json?: boolean;
}

export function addToken(program: Command, cli: Cli): void {
  program
    .command("token")
    .description("exchange this machine's key for a short-lived token, and print it")
    .option("--ttl <duration>", "longest life, such as 5m; less where the risk says so")
    .addOption(listOption("--allow <permissions>", "what it may do; left out, all the key may"))
    .addOption(listOption("--model <selectors>", "models it may use; left out, the key's own"))
    .option("--url <url>", "the gateway's data plane (SALLYPORT_URL, else http://127.0.0.1:11435)")
    .option("--env <environment>", "where there are credentials for several environments")
    .option("--json", "print JSON")
    .action(async ({ url, env, ttl, allow, model, json }: TokenCommandOptions) => {
      const { exchangeToken } = await import("@sallyport/client");
      const issued = await exchangeToken({
        url,
        environment: env,
        env: cli.io.env,
        permissions: allow,
        models: model,
        ttlSeconds: ttl === undefined ? undefined : secondsOf(ttl),
      });
      // Alone on its line: it is taken up by `$(…)`.
      show(cli.io, json, issued, () => [issued.access_token]);
    });
}

function secondsOf(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === undefined || ms < 1_000) throw new UsageMistake(`--ttl ${text}: is not a duration such as 5m`);
  return Math.floor(ms / 1_000);
}
