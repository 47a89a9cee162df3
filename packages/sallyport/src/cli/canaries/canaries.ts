/** `sallyport canaries plant|list|remove`: keys that allow nothing, and whose use means that someone took them from where they lie. */
import type { Command } from "commander";
import { Problem } from "@sallyport/protocol";
import type { ListedKey } from "@sallyport/contract";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { allKeys } from "../terminal/every-page.ts";
import { withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { show, table } from "../terminal/print.ts";
import { relativeTime } from "../terminal/relative-time.ts";
import { prepareOnce } from "../terminal/show-once.ts";

interface PlantOptions extends ServerOptions {
  readonly env: string;
  readonly place: string;
  readonly out?: string;
}

interface ListOptions extends ServerOptions {
  readonly env?: string;
}

/** What `canaries list` prints of one. */
interface Canary {
  readonly id: string;
  readonly environment: string;
  readonly place: string;
  readonly state: string;
  readonly reason: string | null;
  readonly plantedAt: string;
  readonly plantedBy: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
}

export function addCanaries(program: Command, cli: Cli): void {
  const canaries = program
    .command("canaries")
    .description("canary keys: keys that allow nothing, and whose use raises an alert and opens an incident");

  withServer(canaries.command("plant"))
    .description("create a canary key for one place, and print it once")
    .requiredOption("--env <environment>", "environment that the key seems to belong to")
    .requiredOption("--place <text>", "where you will put it, such as 'backup of the wiki, .env'")
    .option("--out <file>", "write the key to a new file that only you can read")
    .action((options: PlantOptions) => plant(cli, options));

  withServer(canaries.command("list"))
    .description("list canary keys and where they are")
    .option("--env <environment>", "canary keys of one environment")
    .action(async (options: ListOptions) => {
      const keys = await withClient(cli, options, (client) => allKeys(client, { environment: options.env }));
      const found = keys.filter(({ isDecoy, state }) => isDecoy && state !== "revoked").map(canaryOf);
      show(cli.io, options.json, { canaries: found }, () =>
        table(
          ["CANARY", "ENV", "PLACE", "STATE", "PLANTED", "BY", "EXPIRES", "USED"],
          found.map((one) => [
            one.id,
            one.environment,
            one.place,
            one.reason === null ? one.state : `${one.state} (${one.reason})`,
            relativeTime(one.plantedAt),
            one.plantedBy,
            one.expiresAt === null ? "-" : relativeTime(one.expiresAt),
            one.lastUsedAt === null ? "never" : relativeTime(one.lastUsedAt),
          ]),
          "no canary keys",
        ),
      );
    });

  withServer(canaries.command("remove <id>"))
    .description("revoke a canary key; its use still denies as that of any revoked key")
    .action(async (id: string, options: ServerOptions) => {
      const removed = await withClient(cli, options, async (client) => {
        const key = await client.call("keys.show", { params: { id } });
        if (!key.isDecoy)
          throw new Problem(
            "conflict",
            `${key.id} is no canary key; to revoke it, run \`sallyport keys revoke ${key.id}\``,
          );
        return client.call("keys.revoke", { params: { id: key.id } });
      });
      show(cli.io, options.json, removed, () => [`removed the canary key ${removed.id} from: ${removed.name}`]);
    });
}

async function plant(cli: Cli, options: PlantOptions): Promise<void> {
  const { env: environment, place } = options;
  const once = prepareOnce(cli.io, options, "the canary key");
  try {
    // Its name is the place: administrators see it in every list, and the key itself may read nothing.
    const made = await withClient(cli, options, (client) =>
      client.call("keys.create", { body: { environment, name: place, decoy: true } }),
    );
    const { id, key = "", expiresAt } = made;
    once.show({ id, key, environment, place, expiresAt }, "key", "put it where it belongs, and nowhere else");
  } catch (failure) {
    once.abandon();
    throw failure;
  }
}

function canaryOf(key: ListedKey): Canary {
  const { id, environment, name: place, state, reason, createdAt, createdBy, expiresAt, lastUsedAt } = key;
  return { id, environment, place, state, reason, plantedAt: createdAt, plantedBy: createdBy, expiresAt, lastUsedAt };
}
