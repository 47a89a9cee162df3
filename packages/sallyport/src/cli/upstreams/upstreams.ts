/** `sallyport upstreams`: the model servers of policy, taking them out of service, and their credentials. */
import type { Command } from "commander";
import type { UpstreamStateView } from "@sallyport/contract";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { facts, listText, show, table } from "../terminal/print.ts";
import type { Line } from "../terminal/styled-line.ts";

export function addUpstreams(program: Command, cli: Cli): void {
  const upstreams = program
    .command("upstreams")
    .description("list and drain model servers, and store credentials for them");
  withServer(upstreams.command("list"))
    .description("list model servers and their state")
    .option("--env <environment>", "of one environment")
    .action(async (options: ServerOptions & { env?: string }) => {
      const query = { environment: options.env };
      const list = await withClient(cli, options, (client) => client.call("upstreams.list", { query }));
      show(cli.io, options.json, list, () =>
        table(
          ["ENV", "ID", "KIND", "STATE", "RUNNING", "CREDENTIALS", "URL"],
          list.upstreams.map((one) => [
            one.environment,
            one.id,
            one.kind ?? "ollama",
            stateText(one),
            one.running === null ? "-" : String(one.running),
            listText(credentialsOf(one)),
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
  addTls(upstreams, cli);
}

function addTls(upstreams: Command, cli: Cli): void {
  const tls = upstreams.command("tls").description("certificates for TLS to a model server");
  withServer(tls.command("set <upstream>"))
    .description(
      "store certificates for a model server (ENV/UPSTREAM): its authorities, the gateway's own with its key",
    )
    .option("--ca <file>", "PEM file with the authorities that the server's certificate may come from")
    .option("--certificate <file>", "PEM file with the certificate chain that the gateway shows the server")
    .option("--key <file>", "PEM file with its private key, unencrypted")
    .action(async (upstream: string, options: ServerOptions & TlsFiles) => {
      const params = readUpstream(upstream);
      const { ca, certificate, key } = options;
      if (ca === undefined && certificate === undefined && key === undefined)
        throw new UsageMistake("--ca FILE, or --certificate FILE with --key FILE, is needed");
      const text = (file: string | undefined): string | undefined => file && cli.io.readText(file);
      const body = { ca: text(ca), certificate: text(certificate), key: text(key) };
      const one = await withClient(cli, options, (client) => client.call("upstreams.setTls", { params, body }));
      show(cli.io, options.json, one, () => upstreamFacts(one));
    });
  withServer(tls.command("remove <upstream>"))
    .description("remove the certificates for a model server (ENV/UPSTREAM)")
    .action(async (upstream: string, options: ServerOptions) => {
      const params = readUpstream(upstream);
      const one = await withClient(cli, options, (client) => client.call("upstreams.removeTls", { params }));
      show(cli.io, options.json, one, () => upstreamFacts(one));
    });
}

interface TlsFiles {
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
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

/** What is stored for the server; `own-ca`: it must have a certificate of an authority that is stored, too. */
function credentialsOf({ hasCredential, hasClientCertificate, hasOwnCa }: UpstreamStateView): string[] {
  return [
    ...(hasCredential ? ["token"] : []),
    ...(hasClientCertificate ? ["certificate"] : []),
    ...(hasOwnCa ? ["own-ca"] : []),
  ];
}

function stateText({ isDrained, running }: UpstreamStateView): string {
  if (!isDrained) return "in service";
  return running === null || running === 0 ? "drained" : "draining";
}

function upstreamFacts(one: UpstreamStateView): Line[] {
  return facts({
    upstream: `${one.environment}/${one.id}`,
    url: one.url,
    state: stateText(one),
    running: one.running === null ? undefined : String(one.running),
    credentials: listText(credentialsOf(one)),
  });
}

function isInClear({ url }: UpstreamStateView): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "http:" && hostname !== "localhost" && hostname !== "[::1]" && !hostname.startsWith("127.");
}
