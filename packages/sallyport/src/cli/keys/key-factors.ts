/** `sallyport keys factors | signers | path-secret`: access conditions of one key. */
import type { Command } from "commander";
import { Option } from "commander";
import { factors } from "@sallyport/protocol";
import type { Factor } from "@sallyport/protocol";
import type { KeyView } from "@sallyport/contract";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { listOption, withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { facts, listText, show, table } from "../terminal/print.ts";
import type { Line } from "../terminal/styled-line.ts";
import { relativeTime } from "../terminal/relative-time.ts";

export interface FactorOptions {
  readonly network?: string[];
  readonly bind?: "first_use";
  readonly require?: Factor[];
}

interface ChangeOptions extends ServerOptions, FactorOptions {
  readonly anywhere?: boolean;
  readonly demandNothing?: boolean;
}

interface SignerOptions extends ServerOptions {
  readonly publicKey?: string;
  readonly hmac?: boolean;
  readonly ollama?: boolean;
}

export function withFactors(command: Command): Command {
  return command
    .addOption(listOption("--network <cidrs>", "networks from which it can be used, such as 10.1.0.0/16"))
    .addOption(
      new Option("--bind <when>", "restrict it to the network of its first use")
        .choices(["first-use"])
        .argParser(() => "first_use"),
    )
    .addOption(
      listOption("--require <factors>", `factors that each request must provide in addition: ${factors.join(", ")}`),
    );
}

export function addKeyFactors(keys: Command, cli: Cli): void {
  withFactors(withServer(keys.command("factors <id>")))
    .description("show or change a key's allowed networks and required factors")
    .option("--anywhere", "remove its network restrictions")
    .option("--demand-nothing", "remove its required factors")
    .action((id: string, options: ChangeOptions) => change(cli, id, options));

  const signers = keys.command("signers").description("public keys whose signatures count as a key's");
  withServer(signers.command("add <id>"))
    .description("register a public key, for signed requests (RFC 9421) or for the Ollama command line")
    .option("--public-key <file>", "OpenSSH, PEM or JWK file; - is stdin")
    .option(
      "--ollama",
      "the public key of an Ollama client (~/.ollama/id_ed25519.pub), which then needs no API key with OLLAMA_AUTH=1",
    )
    .option("--hmac", "create a shared secret instead, printed once")
    .action((id: string, options: SignerOptions) => addSigner(cli, id, options));
  withServer(signers.command("list <id>"))
    .description("list a key's public keys")
    .action(async (id: string, options: ServerOptions) => {
      const key = await withClient(cli, options, (client) => client.call("keys.show", { params: { id } }));
      show(cli.io, options.json, { signers: key.signers }, () =>
        table(
          ["SIGNER", "FOR", "ALGORITHM", "SINCE"],
          key.signers.map((one) => [one.id, one.use, one.algorithm, relativeTime(one.createdAt)]),
          "no public keys",
        ),
      );
    });
  withServer(signers.command("remove <id> <signer>"))
    .description("remove a public key")
    .action(async (id: string, signer: string, options: ServerOptions) => {
      const call = { params: { id }, body: { signer } };
      const key = await withClient(cli, options, (client) => client.call("keys.removeSigner", call));
      show(cli.io, options.json, key, () => factorFacts(key));
    });

  withServer(keys.command("path-secret <id>"))
    .description("create a URL token for a key, for clients that cannot send headers; replaces the previous one")
    .option("--remove", "revoke it instead")
    .action((id: string, options: ServerOptions & { remove?: boolean }) => pathSecret(cli, id, options));
}

async function change(cli: Cli, id: string, options: ChangeOptions): Promise<void> {
  const { network, bind, require, anywhere, demandNothing } = options;
  if (anywhere && (network !== undefined || bind !== undefined))
    throw new UsageMistake("--anywhere goes with neither --network nor --bind");
  if (demandNothing && require !== undefined) throw new UsageMistake("--demand-nothing does not go with --require");
  const body = {
    ...(anywhere ? { networks: null, binding: null } : {}),
    ...(network === undefined ? {} : { networks: network }),
    ...(bind === undefined ? {} : { binding: bind }),
    ...(demandNothing ? { require: [] } : {}),
    ...(require === undefined ? {} : { require }),
  };
  const key = await withClient(cli, options, (client) =>
    Object.keys(body).length === 0
      ? client.call("keys.show", { params: { id } })
      : client.call("keys.factors", { params: { id }, body }),
  );
  show(cli.io, options.json, key, () => factorFacts(key));
}

async function addSigner(cli: Cli, id: string, options: SignerOptions): Promise<void> {
  const { publicKey, hmac, ollama } = options;
  if ((publicKey === undefined) === (hmac !== true))
    throw new UsageMistake(
      "one of --public-key and --hmac is needed",
      "add --public-key FILE, or --hmac for a shared secret",
    );
  const text = publicKey === undefined ? undefined : cli.io.readText(publicKey);
  const body = {
    use: ollama ? ("ollama" as const) : ("request" as const),
    publicKey: text,
    ...(hmac ? { hmac: true as const } : {}),
  };
  const added = await withClient(cli, options, (client) => client.call("keys.addSigner", { params: { id }, body }));
  show(cli.io, options.json, added, () =>
    facts({ key: added.keyId, signer: added.id, for: added.use, algorithm: added.algorithm, secret: added.secret }),
  );
  if (options.json) return;
  if (added.secret !== undefined) cli.io.err("The secret is shown this once and cannot be read again.");
  else if (ollama) cli.io.err("On that machine: OLLAMA_AUTH=1 OLLAMA_HOST=<address of the gateway> ollama run MODEL");
}

async function pathSecret(cli: Cli, id: string, options: ServerOptions & { remove?: boolean }): Promise<void> {
  if (options.remove) {
    const key = await withClient(cli, options, (client) => client.call("keys.removePathSecret", { params: { id } }));
    show(cli.io, options.json, key, () => factorFacts(key));
    return;
  }
  const made = await withClient(cli, options, (client) => client.call("keys.makePathSecret", { params: { id } }));
  show(cli.io, options.json, made, () =>
    facts({ key: made.id, environment: made.environment, secret: made.pathSecret }),
  );
  if (!options.json)
    cli.io.err(
      `Shown this once. For clients whose only setting is an address: OLLAMA_HOST=http://127.0.0.1:11435/k/${made.pathSecret}`,
    );
}

export function factorFacts(key: KeyView): Line[] {
  return facts({
    id: key.id,
    networks:
      key.networks === null ? (key.binding === null ? "anywhere" : "bound to its first use") : listText(key.networks),
    demands: listText(key.require),
    signers: listText(key.signers.map((signer) => `${signer.id} (${signer.use})`)),
    "path secret": key.hasPathSecret ? "yes" : "no",
  });
}
