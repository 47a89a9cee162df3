/** `sallyport keys workloads`: workloads that can act as a key with tokens of their issuer. */
import type { Command } from "commander";
import { Option } from "commander";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { facts, listText, show, table } from "../terminal/print.ts";

const templates = ["github", "gitlab", "kubernetes", "generic"] as const;

interface AddOptions extends ServerOptions {
  readonly template: (typeof templates)[number];
  readonly issuer?: string;
  readonly audience: string;
  readonly claim?: string[];
  readonly jwks?: string;
}

export function addKeyWorkloads(keys: Command, cli: Cli): void {
  const workloads = keys.command("workloads").description("workloads that may act as a key, without any secret");
  withServer(workloads.command("add <id>"))
    .description("trust tokens of an issuer, exchanged at /oauth/token with the key's id as client_id")
    .addOption(new Option("--template <name>", "which ids must be named").choices(templates).default("generic"))
    .option("--issuer <url>", "the issuer, exactly as in its tokens (default: the template's)")
    .requiredOption("--audience <text>", "the exact audience of the tokens")
    .option("--claim <name=value>", "a claim and its value, /a/b inside another; repeat it", collect)
    .option("--jwks <file>", "the issuer's public keys, if the gateway cannot fetch them")
    .action((id: string, options: AddOptions) => add(cli, id, options));
  withServer(workloads.command("list <id>"))
    .description("list the workloads that a key trusts")
    .action(async (id: string, options: ServerOptions) => {
      const key = await withClient(cli, options, (client) => client.call("keys.show", { params: { id } }));
      show(cli.io, options.json, { workloads: key.workloads }, () =>
        table(
          ["WORKLOAD", "ISSUER", "AUDIENCE", "CLAIMS"],
          key.workloads.map((one) => [one.id, one.issuer, one.audience, claimsText(one.claims)]),
          "nobody",
        ),
      );
    });
  withServer(workloads.command("remove <id> <workload>"))
    .description("stop trusting a workload")
    .action(async (id: string, workload: string, options: ServerOptions) => {
      const call = { params: { id }, body: { workload } };
      const key = await withClient(cli, options, (client) => client.call("keys.removeWorkload", call));
      show(cli.io, options.json, key, () => facts({ id: key.id, workloads: String(key.workloads.length) }));
    });
}

function collect(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), text];
}

async function add(cli: Cli, id: string, options: AddOptions): Promise<void> {
  const { template, issuer, audience, claim = [], jwks } = options;
  const pairs = claim.map((text): [string, string] => {
    const equals = text.indexOf("=");
    if (equals < 1)
      throw new UsageMistake(
        `--claim ${JSON.stringify(text)} is not a name and a value`,
        "write name=value, such as repository_id=123456",
      );
    return [text.slice(0, equals), text.slice(equals + 1)];
  });
  const body = {
    template,
    issuer,
    audience,
    claims: Object.fromEntries(pairs),
    jwks: jwks === undefined ? undefined : cli.io.readText(jwks),
  };
  const added = await withClient(cli, options, (client) => client.call("keys.addWorkload", { params: { id }, body }));
  show(cli.io, options.json, added, () =>
    facts({
      key: added.keyId,
      workload: added.id,
      issuer: added.issuer,
      audience: added.audience,
      claims: claimsText(added.claims),
    }),
  );
}

function claimsText(claims: Readonly<Record<string, string>>): string {
  return listText(Object.entries(claims).map(([name, value]) => `${name}=${value}`));
}
