/** `sallyport token`: a short-lived token for the credential this machine has. */
import type { Command } from "commander";
import { parseDurationMs } from "@sallyport/contract/duration";
import type { Cli } from "../terminal/cli.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
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
    .option("--ttl <duration>", "maximum lifetime, such as 5m; shorter if the risk is high")
    .addOption(listOption("--allow <permissions>", "permissions (default: all of the key's)"))
    .addOption(listOption("--model <selectors>", "models (default: the key's)"))
    .option("--url <url>", "the gateway's address (default: SALLYPORT_URL, then http://127.0.0.1:11435)")
    .option("--env <environment>", "environment, if there are credentials for several")
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
  if (ms === undefined || ms < 1_000)
    throw new UsageMistake(
      `--ttl ${JSON.stringify(text)} is not a duration of at least a second`,
      "write a number and a unit: 30s, 5m",
    );
  return Math.floor(ms / 1_000);
}
