/** `sallyport keys …` */
import type { Command } from "commander";
import type { KeyView } from "@sallyport/contract";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { listOption, withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { deliverOption, deliveryOf, fromOption, sayTicket, toOption } from "./deliver.ts";
import type { DeliverOptions } from "./deliver.ts";
import { addReceive } from "./receive.ts";
import { addKeyList } from "./key-list.ts";
import { stateText } from "./key-state.ts";
import { addKeyFactors, factorFacts, withFactors } from "./key-factors.ts";
import type { FactorOptions } from "./key-factors.ts";
import { limitsOf, withLimits } from "./key-limits-options.ts";
import type { LimitOptions } from "./key-limits-options.ts";
import { addKeyWorkloads } from "./key-workloads.ts";
import { addKeyLife, secretLines } from "./key-life.ts";
import { modelWarnings } from "./model-warnings.ts";
import { addOwnKeys } from "./own-keys.ts";
import { facts, listText, show, timeText, warn } from "../terminal/print.ts";
import type { Line } from "../terminal/styled-line.ts";

interface CreateOptions extends ServerOptions, FactorOptions, LimitOptions {
  readonly env?: string;
  readonly name?: string;
  readonly owner?: string;
  readonly role?: string[];
  readonly allow?: string[];
  readonly model?: string[];
  readonly ttl?: string;
  readonly decoy?: boolean;
}

type CreateKeyOptions = CreateOptions & DeliverOptions;

export function addKeys(program: Command, cli: Cli): void {
  const keys = program.command("keys").description("create, list and end API keys");

  withLimits(withFactors(withServer(keys.command("create"))))
    .description("create a key and print it once; without options on a terminal, it asks for what it needs")
    .option("--env <environment>", "environment the key belongs to (required)")
    .option("--name <name>", "what the key is for (required)")
    .option("--owner <principal>", "user or service that owns it, by id or unique name (default: a new service)")
    .addOption(listOption("--role <roles>", "roles in its scope"))
    .addOption(listOption("--allow <permissions>", "single permissions in its scope"))
    .addOption(listOption("--model <selectors>", "models it can use (default: none)"))
    .option("--ttl <duration>", "lifetime such as 30d (default: the environment's maximum)")
    .option(
      "--decoy",
      "a canary key, which no one has a reason to use: its first use raises an alert and by default suspends it",
    )
    .addOption(deliverOption())
    .addOption(toOption())
    .addOption(fromOption())
    .action((options: CreateKeyOptions) => createOrAsk(cli, options));

  addKeyList(keys, cli);

  withServer(keys.command("show <id>"))
    .description("show a key, its secrets, and which instances use which secret during a rotation")
    .action(async (id: string, options: ServerOptions) => {
      const key = await withClient(cli, options, (client) => client.call("keys.show", { params: { id } }));
      show(cli.io, options.json, key, () => [...keyFacts(key), ...factorFacts(key).slice(1), ...secretLines(key)]);
    });

  addKeyLife(keys, cli);
  addOwnKeys(keys, cli);
  addKeyFactors(keys, cli);
  addKeyWorkloads(keys, cli);
  addReceive(keys, cli);

  for (const [verb, route, says, done] of [
    ["suspend", "keys.suspend", "stop a key until it is resumed", "Suspended key"],
    [
      "resume",
      "keys.resume",
      "let a suspended key work again, as an administrator (its owner: keys mine --resume)",
      "Resumed key",
    ],
    ["revoke", "keys.revoke", "end a key for good", "Revoked key"],
  ] as const) {
    withServer(keys.command(`${verb} <id>`))
      .description(says)
      .action(async (id: string, options: ServerOptions) => {
        const key = await withClient(cli, options, (client) => client.call(route, { params: { id } }));
        show(cli.io, options.json, key, () => [
          `${done} ${key.name} (${key.id}) in ${key.environment}${verb === "resume" ? "" : "; its running requests were aborted"}.`,
        ]);
      });
  }
}

/** Options that say where, and not what: with no other, the user is asked. */
const PLACE_OPTIONS = new Set(["data", "settings"]);

async function createOrAsk(cli: Cli, options: CreateKeyOptions): Promise<void> {
  const { env, name } = options;
  if (env !== undefined && name !== undefined) return create(cli, options, { environment: env, name });
  const isBare = Object.keys(options).every((option) => PLACE_OPTIONS.has(option));
  if (isBare && cli.io.isTerminal && cli.io.canAsk) {
    const { askForKey } = await import("./guide.ts");
    const guided = await askForKey(cli, options);
    if (guided !== undefined)
      return create(cli, { ...options, ...guided }, { environment: guided.env, name: guided.name });
    cli.io.err("nothing created");
    return cli.found();
  }
  throw new UsageMistake(
    `required option '${env === undefined ? "--env <environment>" : "--name <name>"}' not specified`,
    "name both: `sallyport keys create --env ENV --name NAME --role ROLE --model MODEL`; without options, on a terminal, the command asks",
  );
}

async function create(
  cli: Cli,
  options: CreateKeyOptions,
  { environment, name }: { readonly environment: string; readonly name: string },
): Promise<void> {
  const { owner, role = [], allow = [], model = [], ttl } = options;
  const limits = limitsOf(options);
  const { network: networks, bind: binding, require } = options;
  const deliver = deliveryOf(options);
  const created = await withClient(cli, options, async (client, kind) => {
    const made = await client.call("keys.create", {
      body: {
        environment,
        name,
        owner,
        roles: role,
        allow,
        models: model,
        ttl,
        limits,
        networks,
        binding,
        require,
        decoy: options.decoy,
        deliver,
      },
    });
    for (const text of await modelWarnings(client, {
      environment,
      roles: role,
      allow,
      models: model,
      id: made.id,
      canAskServers: !options.json && kind !== "network",
    }))
      warn(cli.io, text);
    return made;
  });
  if (deliver) return sayTicket(cli, options.json, created, {});
  show(cli.io, options.json, created, () => [
    ...facts({
      id: created.id,
      key: created.key,
      environment,
      owner: created.owner,
      expires: timeText(created.expiresAt),
    }),
  ]);
  if (!options.json) cli.io.err("The key is shown this once and cannot be read again.");
}

function keyFacts(key: KeyView): Line[] {
  return facts({
    id: key.id,
    environment: key.environment,
    name: key.name,
    owner: key.owner,
    state: key.reason === null ? stateText(key) : `${stateText(key)} (${key.reason})`,
    roles: listText(key.roles),
    allow: listText(key.allow),
    models: listText(key.models),
    ...Object.fromEntries(Object.entries(key.limits).map(([name, value]) => [name, String(value)])),
    created: `${timeText(key.createdAt)} by ${key.createdBy}`,
    expires: timeText(key.expiresAt),
    decoy: key.isDecoy ? "yes: its first use raises an alert" : undefined,
  });
}
