/** `sallyport upstreams`: the model servers of policy, taking them out of service, and their credentials. */
import type { Command } from "commander";
import type { UpstreamStateView } from "@sallyport/contract";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { UsageMistake } from "../terminal/failure.ts";
import { withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { facts, show, table } from "../terminal/print.ts";

export function addUpstreams(program: Command, cli: Cli): void {
  const upstreams = program
    .command("upstreams")
    .description("list and drain model servers, and store their credentials");
  withServer(upstreams.command("list"))
    .description("list model servers and their state")
    .option("--env <environment>", "of one environment")
    .action(async (options: ServerOptions & { env?: string }) => {
      const query = { environment: options.env };
      const list = await withClient(cli, options, (client) => client.call("upstreams.list", { query }));
      show(cli.io, options.json, list, () =>
        table(
          ["ENV", "ID", "KIND", "STATE", "RUNNING", "CREDENTIAL", "URL"],
          list.upstreams.map((one) => [
            one.environment,
            one.id,
            one.kind ?? "ollama",
            stateText(one),
            one.running === null ? "-" : String(one.running),
            one.hasCredential ? "yes" : "no",
            one.url,
          ]),
          "no upstreams",
        ),
      );
    });
  withServer(upstreams.command("drain <upstream>"))
    .description("send a model server (ENV/UPSTREAM) no new requests; running requests finish")
    .option("--undo", "put it back into service")
    .action(async (upstream: string, options: ServerOptions & { undo?: boolean }) => {
      const body = { isDrained: options.undo !== true };
      const params = readUpstream(upstream);
      const one = await withClient(cli, options, (client) => client.call("upstreams.drain", { params, body }));
      show(cli.io, options.json, one, () => upstreamFacts(one));
    });
  const credential = upstreams
    .command("credential")
    .description("the credential that the gateway sends to a model server");
  withServer(credential.command("set <upstream>"))
    .description("store the bearer token of a model server (ENV/UPSTREAM), read from standard input or a hidden prompt")
    .action(async (upstream: string, options: ServerOptions) => {
      const params = readUpstream(upstream);
      const body = { credential: await readCredential(cli) };
      const one = await withClient(cli, options, (client) => client.call("upstreams.setCredential", { params, body }));
      show(cli.io, options.json, one, () => upstreamFacts(one));
      if (isInClear(one))
        cli.io.err(`${one.url} is another machine and not https: the network can read the credential.`);
    });
  withServer(credential.command("remove <upstream>"))
    .description("remove the credential of a model server (ENV/UPSTREAM)")
    .action(async (upstream: string, options: ServerOptions) => {
      const params = readUpstream(upstream);
      const one = await withClient(cli, options, (client) => client.call("upstreams.removeCredential", { params }));
      show(cli.io, options.json, one, () => upstreamFacts(one));
    });
}

/** `prod/u1`, as `upstreams list` shows it. */
function readUpstream(text: string): { name: string; upstream: string } {
  const parts = /^([^/]+)\/([^/]+)$/.exec(text);
  if (!parts)
    throw new UsageMistake(
      `${text} names no model server`,
      "write ENV/UPSTREAM, as `sallyport upstreams list` shows them",
    );
  return { name: parts[1]!, upstream: parts[2]! };
}

/** Never an argument: other users of the machine see those. */
async function readCredential({ io }: Cli): Promise<string> {
  const text = io.canAsk ? await io.askHidden("Credential (not shown): ") : io.readText("-");
  const credential = text.replace(/\r?\n$/, "");
  if (credential === "")
    throw new UsageMistake("the credential is empty", "pass it on standard input, or type it at the prompt");
  return credential;
}

function stateText({ isDrained, running }: UpstreamStateView): string {
  if (!isDrained) return "in service";
  return running === null || running === 0 ? "drained" : "draining";
}

function upstreamFacts(one: UpstreamStateView): string[] {
  return facts({
    upstream: `${one.environment}/${one.id}`,
    url: one.url,
    state: stateText(one),
    running: one.running === null ? undefined : String(one.running),
    credential: one.hasCredential ? "stored" : "none",
  });
}

function isInClear({ url }: UpstreamStateView): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "http:" && hostname !== "localhost" && hostname !== "[::1]" && !hostname.startsWith("127.");
}
