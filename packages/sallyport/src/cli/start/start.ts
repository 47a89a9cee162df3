/**
 * `sallyport start`: creates what is missing (data directory, environment, one key for a week), finds Ollama or runs the
 * demo model server instead, prints a request to paste, and keeps running. OLLAMA_HOST counts once, when the directory is
 * created. From then on, the policy names the model server.
 */
import type { Command } from "commander";
import type { AdminClient } from "@sallyport/client";
import type { UpstreamKind } from "@sallyport/protocol";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { readSettings } from "../terminal/connect.ts";
import { lookAtServer, readOllamaHost } from "./find-ollama.ts";
import type { FoundServer } from "./find-ollama.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { keepFirstKey } from "./first-key.ts";
import { withListeners } from "./serve.ts";
import { USUAL_MODEL, sayFirstMinute } from "./say-first-minute.ts";
import type { IgnoredHost, Served } from "./say-first-minute.ts";
import { EarlySignals, untilSignalled } from "./until-signalled.ts";

const FIRST_KEY_NAME = "first";
const FIRST_KEY_TTL = "7d";

export function addStart(program: Command, cli: Cli): void {
  withListeners(program.command("start"))
    .description("run the gateway and make what the first minute needs: a data directory, an environment, a key")
    .option("--no-practice", "do not start the demo model server if no Ollama is found")
    .action(async (options: ServerOptions & { readonly practice: boolean }) => {
      // The settings reader knows its flags only; --no-practice is not one of them.
      const settings = await readSettings(quietOnTerminal({ ...options }, cli), cli.io.env);
      const { PRACTICE_ENVIRONMENT, PRACTICE_MODEL, initialize, isInitialized, openGateway } =
        await import("../../compose.ts");
      const { isLoopback } = await import("../../config/settings-schema.ts");
      const wantedUrl = readOllamaHost(cli.io.env["OLLAMA_HOST"]);
      const isNew = !isInitialized(settings.dataDirectory);
      const undoInitialize = isNew ? (await initialize(settings, wantedUrl)).undo : () => {};
      let served: Served | undefined;
      let looked!: FoundServer;
      let isPractice = false;
      const withPractice = async ({ environments }: { readonly environments: Environments }): Promise<boolean> => {
        served = firstServed(environments.values(), PRACTICE_ENVIRONMENT);
        looked = await lookAtServer(served?.url ?? wantedUrl, served?.kind);
        return (isPractice = !looked.isThere && options.practice);
      };
      const early = new EarlySignals();
      const gateway = await openGateway(settings, { withPractice, rehearses: true }).catch((failure: unknown) => {
        early.release();
        undoInitialize();
        throw failure;
      });
      cli.io.neverBlock();
      const ended = untilSignalled(cli, gateway, settings.drainMs, { endsWithTerminal: true, early });
      cli.io.out(`sallyport ready data=${gateway.dataUrl} admin=${gateway.adminUrl}`);
      const environment = isPractice ? PRACTICE_ENVIRONMENT : served?.environment;
      if (environment === undefined) cli.io.out("no environment yet: `sallyport apply -f policy.yaml`");
      else
        await withClient(cli, { data: settings.dataDirectory }, async (client: AdminClient) => {
          const key = await keepFirstKey(cli.io, client, {
            environment,
            name: FIRST_KEY_NAME,
            ttl: FIRST_KEY_TTL,
            directory: settings.dataDirectory,
            isOnLoopback: isLoopback(settings.listen),
          });
          const consoleUrl = cli.io.isTerminal ? (await client.call("openConsole", {})).url : undefined;
          sayFirstMinute(cli.io, {
            consoleUrl,
            isNew,
            withPractice: isPractice,
            found: looked,
            ignoredOllamaHost: ignoredHost(cli, wantedUrl, served),
            key,
            model: isPractice ? PRACTICE_MODEL : (looked.chatModel ?? USUAL_MODEL),
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

type Environments = ReadonlyMap<string, Environment>;
interface Environment {
  readonly name: string;
  readonly upstreams: readonly { readonly url: string; readonly kind?: UpstreamKind }[];
}

/**
 * `dev` as `init` makes it, else the first that has a model server. The demo's own environment, left over from an earlier
 * run, is no choice of anybody.
 */
function firstServed(all: Iterable<Environment>, demo: string): Served | undefined {
  const named = [...all];
  const environments = named.filter(({ name }) => name !== demo);
  const withServer = environments.filter(({ upstreams }) => upstreams.length > 0);
  const first = withServer.find(({ name }) => name === "dev") ?? withServer[0];
  const server = first?.upstreams[0];
  if (first === undefined || server === undefined) return undefined;
  const isAlone = environments.length === 1 && first.upstreams.length === 1;
  return {
    environment: first.name,
    url: server.url,
    kind: server.kind ?? "ollama",
    isAlone,
    hasDemo: named.length > environments.length,
  };
}

/** OLLAMA_HOST as it was given, where the policy names another server. */
function ignoredHost(cli: Cli, wantedUrl: string, served: Served | undefined): IgnoredHost | undefined {
  const host = cli.io.env["OLLAMA_HOST"]?.trim() ?? "";
  if (host === "" || served === undefined || served.url === wantedUrl) return undefined;
  return { ...served, wantedUrl };
}
