/** `sallyport rightsize`: plan a narrower scope for keys, compare it with their requests, apply it, stop it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { Problem } from "@sallyport/protocol";
import type { PlannedView, RightsizingView } from "@sallyport/contract";
import type { AdminClient } from "@sallyport/client";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { allKeyPlans, allRightsizings } from "../terminal/every-page.ts";
import { withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { show } from "../terminal/print.ts";
import { withProgress } from "../terminal/progress.ts";
import { planLines, rightsizingLines, rightsizingTable } from "./rightsizing-lines.ts";

interface PlanOptions extends ServerOptions {
  readonly keyId?: string;
  readonly role?: string;
  readonly env?: string;
  readonly unused?: string;
}

const LOOK_MS = 100;
const UNUSED = "take away what was not used for this long, such as 180d (default: 400d)";

export function addRightsize(program: Command, cli: Cli): void {
  const rightsize = program
    .command("rightsize")
    .description("narrow keys to the permissions and models that they use, after a replay of recorded requests");

  withServer(rightsize.command("plan"))
    .description(
      "propose the narrowest scope of each key, and show which recorded requests of 90 days it would have denied",
    )
    .option("--key-id <key>", "id or name of one key")
    .option("--role <role>", "keys whose scope or owner has the role")
    .option("--env <environment>", "keys of one environment")
    .option("--unused <duration>", UNUSED)
    .action((options: PlanOptions) => plan(cli, options));

  withServer(rightsize.command("shadow <id>"))
    .description("compare the requests of a key with the proposed scope for some days; no request is denied")
    .option("--for <duration>", "how long (default: 7d)")
    .option("--unused <duration>", UNUSED)
    .action((id: string, { for: lasting, unused, ...options }: ServerOptions & { for?: string; unused?: string }) =>
      change(cli, options, (client) =>
        client.call("rightsizing.shadow", {
          body: {
            keyId: id,
            ...(lasting === undefined ? {} : { for: lasting }),
            ...(unused === undefined ? {} : { unused }),
          },
        }),
      ),
    );

  withServer(rightsize.command("apply <id>"))
    .description("narrow a key to the scope of its shadow, or to what is proposed now; one wrong denial takes it back")
    .option("--guard <duration>", "for how long a wrong denial takes it back (default: 32d)")
    .option("--unused <duration>", UNUSED)
    .action((id: string, { guard, unused, ...options }: ServerOptions & { guard?: string; unused?: string }) =>
      change(cli, options, (client) =>
        client.call("rightsizing.apply", {
          body: { keyId: id, ...(guard === undefined ? {} : { guard }), ...(unused === undefined ? {} : { unused }) },
        }),
      ),
    );

  withServer(rightsize.command("stop <id>"))
    .description("end the shadow of a key, or give a narrowed key its whole scope again")
    .action((id: string, options: ServerOptions) =>
      change(cli, options, (client) => client.call("rightsizing.stop", { body: { keyId: id } })),
    );

  withServer(rightsize.command("list"))
    .description("list the keys that are right-sized, or were")
    .option("--env <environment>", "keys of one environment")
    .action(async ({ env, ...options }: ServerOptions & { env?: string }) => {
      const rightsizings = await withClient(cli, options, (client) => allRightsizings(client, { environment: env }));
      show(cli.io, options.json, { rightsizings }, () => rightsizingTable(rightsizings));
    });

  withServer(rightsize.command("show <id>"))
    .description("show the boundary of a key, and the requests that it denied or would have denied")
    .action(async (id: string, options: ServerOptions) => {
      const [one] = await withClient(cli, options, (client) => allRightsizings(client, { key: id }));
      if (!one) throw new Problem("not_found", `key ${id} is not right-sized`);
      show(cli.io, options.json, one, () => rightsizingLines(one));
    });
}

async function plan(cli: Cli, options: PlanOptions): Promise<void> {
  const { keyId, role, env: environment, unused } = options;
  const body = {
    ...(keyId === undefined ? {} : { keyId }),
    ...(role === undefined ? {} : { role }),
    ...(environment === undefined ? {} : { environment }),
    ...(unused === undefined ? {} : { unused }),
  };
  const done = await withProgress(
    cli.io,
    { label: "replaying recorded requests", isJson: options.json },
    (onProgress) =>
      withClient(cli, options, async (client) => {
        let view: PlannedView = await client.call("rightsizing.plan", { body });
        while (view.state === "running") {
          await sleep(LOOK_MS);
          view = await client.call("rightsizing.planned", { query: { limit: 1 } });
          onProgress("records", view.records, view.total);
        }
        if (view.state !== "done") throw new Problem("store_unavailable", view.failure ?? "the plan was not made");
        const { from, decisions, isTruncated } = view;
        return { plans: await allKeyPlans(client), from, decisions, isTruncated };
      }),
  );
  show(cli.io, options.json, done, () => planLines(done));
}

async function change(
  cli: Cli,
  options: ServerOptions,
  call: (client: AdminClient) => Promise<RightsizingView>,
): Promise<void> {
  const changed = await withClient(cli, options, call);
  show(cli.io, options.json, changed, () => rightsizingLines(changed));
}
