/**
 * `sallyport start`: the first minute. Makes what is missing (data directory, environment, one key for a week), finds
 * Ollama or runs the practice server in its place, says what to paste, and stays up. A second run says what is there.
 */
import type { Command } from "commander";
import type { AdminClient } from "@sallyport/client";
import { withClient } from "./cli.ts";
import type { Cli } from "./cli.ts";
import { readSettings } from "./connect.ts";
import { findOllama } from "./find-ollama.ts";
import type { ServerOptions } from "./options.ts";
import { keepFirstKey } from "./first-key.ts";
import { withListeners } from "./serve.ts";
import { USUAL_MODEL, sayFirstMinute } from "./say-first-minute.ts";
import { untilSignalled } from "./until-signalled.ts";

const FIRST_KEY_NAME = "first";
const FIRST_KEY_TTL = "7d";

export function addStart(program: Command, cli: Cli): void {
  withListeners(program.command("start"))
    .description("run the gateway and make what the first minute needs: a place, an environment, a key")
    .option("--no-practice", "do not run the practice server where no Ollama is found")
    .action(async (options: ServerOptions & { readonly practice: boolean }) => {
      // Settings look at their own flags only; whether to practise is none.
      const settings = await readSettings(quietOnTerminal({ ...options }, cli), cli.io.env);
      const { PRACTICE_ENVIRONMENT, PRACTICE_MODEL, initialize, isInitialized, openGateway } =
        await import("../compose.ts");
      const { isLoopback } = await import("../config/settings-schema.ts");
      const found = await findOllama(cli.io.env["OLLAMA_HOST"]);
      const isNew = !isInitialized(settings.dataDirectory);
      if (isNew) await initialize(settings, found.url);
      const withPractice = !found.isThere && options.practice;
      const gateway = await openGateway(settings, { withPractice });
      cli.io.neverBlock();
      const ended = untilSignalled(cli, gateway, settings.drainMs, { endsWithTerminal: true });
      cli.io.out(`sallyport ready data=${gateway.dataUrl} admin=${gateway.adminUrl}`);
      await withClient(cli, { data: settings.dataDirectory }, async (client: AdminClient) => {
        const environment = withPractice ? PRACTICE_ENVIRONMENT : await firstEnvironment(client);
        if (environment === undefined) return cli.io.out("no environment yet: `sallyport apply -f policy.yaml`");
        const order = {
          environment,
          name: FIRST_KEY_NAME,
          ttl: FIRST_KEY_TTL,
          directory: settings.dataDirectory,
          isOnLoopback: isLoopback(settings.listen),
        };
        const key = await keepFirstKey(cli.io, client, order);
        const model = withPractice ? PRACTICE_MODEL : (found.chatModel ?? USUAL_MODEL);
        sayFirstMinute(cli.io, {
          isNew,
          withPractice,
          found,
          key,
          model,
          url: gateway.dataUrl,
          directory: settings.dataDirectory,
        });
      });
      await ended;
    });
}

/** A person's first minute is no place for lines of JSON; a service's log is. */
function quietOnTerminal(
  options: Record<string, unknown> & { readonly log?: string },
  cli: Cli,
): Record<string, unknown> {
  const isSaid = options.log !== undefined || cli.io.env["SALLYPORT_LOG"] !== undefined;
  return cli.io.isTerminal && !isSaid ? { ...options, log: "warn" } : options;
}

/** `dev` as `init` makes it, else the first that has a model server. */
async function firstEnvironment(client: AdminClient): Promise<string | undefined> {
  const { environments } = await client.call("environments.list", {});
  const served = environments.filter(({ upstreams }) => upstreams.length > 0);
  return (served.find(({ name }) => name === "dev") ?? served[0])?.name;
}
