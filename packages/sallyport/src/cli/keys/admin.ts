/** `sallyport admin reset` and `sallyport admin keys …` */
import { Option } from "commander";
import type { Command } from "commander";
import type { AdminKeyView, Answer } from "@sallyport/contract";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { listOption, withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { facts, listText, show, table } from "../terminal/print.ts";
import { prepareOnce, RECOVERY_KEY_PLACE } from "../terminal/show-once.ts";
import type { OnceOptions } from "../terminal/show-once.ts";
import { relativeTime } from "../terminal/relative-time.ts";

const ADMIN_ROLES = ["viewer", "issuer", "provisioner", "access-reviewer", "admin"] as const;

interface CreateOptions extends ServerOptions, OnceOptions {
  readonly name: string;
  readonly role: (typeof ADMIN_ROLES)[number];
  readonly env: string[];
  readonly grant?: string[];
  readonly grantModel?: string[];
  readonly grantAll?: boolean;
  readonly grantRequests?: string;
  readonly grantConcurrency?: number;
  readonly grantOutputTokens?: number;
  readonly ttl?: string;
}

export function addAdmin(program: Command, cli: Cli): void {
  const admin = program.command("admin").description("recover administration; create, list and end admin keys");

  withServer(admin.command("reset"))
    .description("create a new recovery admin key and revoke all others (on the gateway host only)")
    .option("--out <file>", "write the key to a new file, readable by its owner only")
    .action(async (options: ServerOptions & OnceOptions) => {
      await issue(cli, options, RECOVERY_KEY_PLACE, (client) => client.call("adminKeys.reset"));
    });

  const keys = admin.command("keys").description("create, list and end admin keys");

  withServer(keys.command("create"))
    .description("create an admin key within your permissions, and print it once")
    .requiredOption("--name <name>", "what the key is for")
    .addOption(new Option("--role <role>", "what it may administer").choices(ADMIN_ROLES).makeOptionMandatory())
    .addOption(listOption("--env <environments>", "environments it administers, or *").makeOptionMandatory())
    .addOption(listOption("--grant <permissions>", "permissions it can grant in keys and assignments"))
    .addOption(listOption("--grant-model <selectors>", "models it can grant"))
    .option("--grant-requests <rate>", "highest request limit it can grant, such as 60/min")
    .option("--grant-concurrency <count>", "highest concurrency it can grant", Number)
    .option("--grant-output-tokens <count>", "highest output token limit it can grant", Number)
    .option("--grant-all", "it can grant everything")
    .option("--ttl <duration>", "lifetime such as 30d (default: 90d)")
    .option("--out <file>", "write the key to a new file, readable by its owner only")
    .action(async (options: CreateOptions) => {
      const body = createBody(options);
      const where = "give it to the program or person it is for, in a file only they can read";
      await issue(cli, options, where, (client) => client.call("adminKeys.create", { body }));
    });

  withServer(keys.command("list"))
    .description("list admin keys")
    .action(async (options: ServerOptions) => {
      const list = await withClient(cli, options, (client) => client.call("adminKeys.list"));
      show(cli.io, options.json, list, () =>
        table(
          ["ID", "NAME", "STATE", "ENVS", "PERMISSIONS", "MAY GRANT", "EXPIRES"],
          list.keys.map((key) => [
            key.id,
            key.name,
            key.isExpired ? "expired" : key.state,
            listText(key.environments),
            listText(key.permissions),
            mayGrantText(key),
            relativeTime(key.expiresAt),
          ]),
          "no admin keys",
        ),
      );
    });

  withServer(keys.command("revoke <id>"))
    .description("revoke an admin key and the admin keys that it created")
    .option("--keep-children", "keep the admin keys that it created")
    .action(async (id: string, options: ServerOptions & { keepChildren?: boolean }) => {
      const query = options.keepChildren ? { children: "keep" as const } : {};
      const key = await withClient(cli, options, (client) =>
        client.call("adminKeys.revoke", { params: { id }, query }),
      );
      show(cli.io, options.json, key, () => facts({ id: key.id, name: key.name, state: key.state }));
    });
}

type IssuedAdminKey = Answer<"adminKeys.create">;

async function issue(
  cli: Cli,
  options: ServerOptions & OnceOptions,
  where: string,
  make: (client: Parameters<Parameters<typeof withClient>[2]>[0]) => Promise<IssuedAdminKey>,
): Promise<void> {
  const once = prepareOnce(cli.io, options);
  let made: IssuedAdminKey;
  try {
    made = await withClient(cli, options, make);
  } catch (failure) {
    once.abandon();
    throw failure;
  }
  once.show({ adminKey: made.key, id: made.id, name: made.name, expiresAt: made.expiresAt }, "adminKey", where);
}

function createBody(options: CreateOptions) {
  const { name, role, env, grant, grantModel, grantAll, ttl } = options;
  const bounds = boundsOf(options);
  if (grantAll && (grant || grantModel)) throw new UsageMistake("--grant-all stands alone");
  const environments: "*" | string[] = env.includes("*") ? "*" : env;
  const mayGrant = grantAll ? ("*" as const) : grant && { allow: grant, models: grantModel ?? [], ...bounds };
  if (!grant && grantModel) throw new UsageMistake("--grant-model needs --grant");
  if (!grant && Object.keys(bounds).length > 0) throw new UsageMistake("--grant-requests and the like need --grant");
  return { name, role, environments, mayGrant, ttl } as const;
}

function boundsOf({ grantRequests, grantConcurrency, grantOutputTokens }: CreateOptions) {
  const limits = {
    ...(grantRequests === undefined ? {} : { requests: grantRequests }),
    ...(grantConcurrency === undefined ? {} : { concurrency: grantConcurrency }),
  };
  return {
    ...(Object.keys(limits).length > 0 ? { limits } : {}),
    ...(grantOutputTokens === undefined ? {} : { guard: { outputTokens: grantOutputTokens } }),
  };
}

function mayGrantText({ mayGrant }: AdminKeyView): string {
  if (mayGrant === null) return "nothing";
  if (mayGrant === "*") return "everything";
  const bounds = [
    mayGrant.limits?.requests,
    mayGrant.limits?.concurrency === undefined ? undefined : `${mayGrant.limits.concurrency} at once`,
    mayGrant.guard?.outputTokens === undefined ? undefined : `${mayGrant.guard.outputTokens} output tokens`,
  ].filter((text) => text !== undefined);
  const within = bounds.length > 0 ? ` within ${bounds.join(", ")}` : "";
  return `${listText(mayGrant.allow)} on ${listText(mayGrant.models)}${within}`;
}
