/** `sallyport keys rotate | sweep`, and how a key's secrets are shown. */
import type { Command } from "commander";
import type { KeyInFull } from "@sallyport/contract";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { deliverOption, deliveryOf, fromOption, sayTicket, toOption } from "./deliver.ts";
import type { DeliverOptions } from "./deliver.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { facts, show, table, timeText, warn } from "../terminal/print.ts";
import { relativeTime } from "../terminal/relative-time.ts";
import { withProgress } from "../terminal/progress.ts";
import { grantText } from "../rightsizing/rightsizing-lines.ts";

interface RotateOptions extends ServerOptions, DeliverOptions {
  readonly grace?: string;
  readonly idempotencyKey?: string;
  readonly finish?: boolean;
  readonly restart?: boolean;
}

export function addKeyLife(keys: Command, cli: Cli): void {
  withServer(keys.command("rotate <id>"))
    .description("create a new secret; the old one expires some time after the first use of the new one")
    .option("--grace <duration>", "grace period of the old secret, such as 24h (default: the environment's overlap)")
    .option(
      "--idempotency-key <text>",
      "a unique text that makes retries safe: within 15 minutes, the same text returns the same secret",
    )
    .addOption(deliverOption())
    .addOption(toOption())
    .addOption(fromOption())
    .option("--finish", "instead end the overlap of the last rotation now")
    .option("--restart", "destroy the unused new secret of the last rotation and create another")
    .action((id: string, options: RotateOptions) => rotate(cli, id, options));

  withServer(keys.command("sweep"))
    .description("apply the inactivity policy: find keys that are unused, orphaned or expired")
    .option("--dry-run", "only print what is due")
    .action(async (options: ServerOptions & { dryRun?: boolean }) => {
      const body = { dryRun: options.dryRun === true };
      const swept = await withProgress(cli.io, { label: "looking at every key", isJson: options.json }, () =>
        withClient(cli, options, (client) => client.call("keys.sweep", { body })),
      );
      show(cli.io, options.json, swept, () =>
        table(
          ["KEY", "ENV", "FINDING", options.dryRun ? "WOULD" : "DONE", "DUE"],
          swept.findings.map((one) => [one.keyId, one.environment, one.code, one.action, relativeTime(one.dueAt)]),
          "nothing is due",
        ),
      );
    });
}

async function rotate(cli: Cli, id: string, options: RotateOptions): Promise<void> {
  const { grace, idempotencyKey, finish, restart } = options;
  if (finish) {
    if (grace !== undefined || idempotencyKey !== undefined || restart)
      throw new UsageMistake("--finish ends a rotation and begins none: it goes with no other option");
    const { key, hadOverlap } = await withClient(cli, options, async (client) => {
      const before = await client.call("keys.show", { params: { id } });
      const finished = await client.call("keys.finish", { params: { id } });
      return { key: finished, hadOverlap: before.secrets.some(({ state }) => state === "overlapping") };
    });
    show(cli.io, options.json, key, () => facts({ id: key.id, state: key.state }));
    if (!hadOverlap) warn(cli.io, "no rotation of this key is under way, so nothing was changed");
    return;
  }
  const deliver = deliveryOf(options);
  const rotated = await withClient(cli, options, (client) =>
    client.call("keys.rotate", { params: { id }, body: { grace, idempotencyKey, restart, deliver } }),
  );
  if (deliver) return sayTicket(cli, options.json, rotated, { overlapEndsAt: rotated.overlapEndsAt });
  show(cli.io, options.json, rotated, () =>
    facts({
      id: rotated.id,
      key: rotated.key,
      environment: rotated.environment,
      expires: timeText(rotated.expiresAt),
      "old one ends": `at the latest ${timeText(rotated.overlapEndsAt)}`,
    }),
  );
  if (!options.json)
    cli.io.err(
      `The new key is printed only once. The old one keeps working until the new one is used; \`sallyport keys show ${id}\` lists who still uses it.`,
    );
}

/** A line for each secret, and below it who uses it. */
export function secretLines(key: KeyInFull): string[] {
  const lines = key.secrets.flatMap((secret) => {
    const end = secret.endsAt ?? secret.expiresAt;
    const used = secret.lastUsedAt === null ? "never used" : `used ${timeText(secret.lastUsedAt)}`;
    return [
      `secret ${secret.generation}: ${secret.state}, ${used}, until ${timeText(end)}`,
      ...secret.instances.map(({ address, agent, usedAt }) => `  ${address}  ${agent || "-"}  ${timeText(usedAt)}`),
    ];
  });
  if (key.isFrozen) lines.push("a secret that was replaced has been used: find who has it, then rotate");
  if (key.boundary)
    lines.push(
      `right-sized to ${key.boundary.map(grantText).join("; ") || "nothing"}: \`sallyport rightsize show ${key.id}\``,
    );
  return lines;
}
