/** `sallyport keys …` */
import type { Command } from "commander";
import type { AdminClient } from "@sallyport/client";
import { isDataPermission, isPermission, needsModel, Problem } from "@sallyport/protocol";
import type { KeyView } from "@sallyport/contract";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { listOption, wholeNumberOption, withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { deliverOption, deliveryOf, fromOption, sayTicket, toOption } from "./deliver.ts";
import type { DeliverOptions } from "./deliver.ts";
import { addReceive } from "./receive.ts";
import { addKeyList } from "./key-list.ts";
import { stateText } from "./key-state.ts";
import { addKeyFactors, factorFacts, withFactors } from "./key-factors.ts";
import type { FactorOptions } from "./key-factors.ts";
import { addKeyWorkloads } from "./key-workloads.ts";
import { addKeyLife, secretLines } from "./key-life.ts";
import { addOwnKeys } from "./own-keys.ts";
import { facts, listText, show, timeText } from "../terminal/print.ts";

interface CreateOptions extends ServerOptions, FactorOptions {
  readonly env: string;
  readonly name: string;
  readonly owner?: string;
  readonly role?: string[];
  readonly allow?: string[];
  readonly model?: string[];
  readonly ttl?: string;
  readonly requests?: string;
  readonly concurrency?: number;
  readonly decoy?: boolean;
}

type CreateKeyOptions = CreateOptions & DeliverOptions;

export function addKeys(program: Command, cli: Cli): void {
  const keys = program.command("keys").description("create, list and end API keys");

  withFactors(withServer(keys.command("create")))
    .description("create a key and print it once")
    .requiredOption("--env <environment>", "environment the key belongs to")
    .requiredOption("--name <name>", "what the key is for")
    .option("--owner <principal>", "user or service that owns it, by id or unique name (default: a new service)")
    .addOption(listOption("--role <roles>", "roles in its scope"))
    .addOption(listOption("--allow <permissions>", "single permissions in its scope"))
    .addOption(listOption("--model <selectors>", "models it can use (default: none)"))
    .option("--ttl <duration>", "lifetime such as 30d (default: the environment's maximum)")
    .option("--requests <rate>", "maximum number of requests, such as 60/min")
    .option("--concurrency <n>", "maximum number of concurrent requests", wholeNumberOption)
    .option(
      "--decoy",
      "a canary key, which no one has a reason to use: its first use raises an alert and by default suspends it",
    )
    .addOption(deliverOption())
    .addOption(toOption())
    .addOption(fromOption())
    .action((options: CreateKeyOptions) => create(cli, options));

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

  for (const [verb, route, says] of [
    ["suspend", "keys.suspend", "stop a key until it is resumed"],
    ["resume", "keys.resume", "let a suspended key work again, as an administrator (its owner: keys mine --resume)"],
    ["revoke", "keys.revoke", "end a key for good"],
  ] as const) {
    withServer(keys.command(`${verb} <id>`))
      .description(says)
      .action(async (id: string, options: ServerOptions) => {
        const key = await withClient(cli, options, (client) => client.call(route, { params: { id } }));
        show(cli.io, options.json, key, () => keyFacts(key));
      });
  }
}

async function create(cli: Cli, options: CreateKeyOptions): Promise<void> {
  const { env: environment, name, owner, role = [], allow = [], model = [], ttl, requests, concurrency } = options;
  const limits = {
    ...(requests === undefined ? {} : { requests }),
    ...(concurrency === undefined ? {} : { concurrency }),
  };
  const { network: networks, bind: binding, require } = options;
  const deliver = deliveryOf(options);
  const created = await withClient(cli, options, async (client) => {
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
    if (model.length === 0 && (await wantsModel(client, role, allow))) {
      cli.io.err("sallyport: the key names no model, so permissions that need one give nothing: use --model");
    }
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

/** Some permission in the scope needs a model. Roles that the caller cannot read are skipped. */
async function wantsModel(client: AdminClient, roles: readonly string[], allow: readonly string[]): Promise<boolean> {
  const permissions = [...allow];
  for (const name of roles) {
    try {
      const role = await client.call("roles.show", { params: { name } });
      permissions.push(...role.allow.flatMap((grant) => grant.do));
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
    }
  }
  return permissions.some((name) => isPermission(name) && isDataPermission(name) && needsModel(name));
}

function keyFacts(key: KeyView): string[] {
  return facts({
    id: key.id,
    environment: key.environment,
    name: key.name,
    owner: key.owner,
    state: key.reason === null ? stateText(key) : `${stateText(key)} (${key.reason})`,
    roles: listText(key.roles),
    allow: listText(key.allow),
    models: listText(key.models),
    requests: key.limits.requests,
    concurrency: key.limits.concurrency,
    created: `${timeText(key.createdAt)} by ${key.createdBy}`,
    expires: timeText(key.expiresAt),
    decoy: key.isDecoy ? "yes: its first use raises an alert" : undefined,
  });
}
