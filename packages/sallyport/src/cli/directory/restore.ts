/** `sallyport restore` and `sallyport restore confirm` */
import { resolve } from "node:path";
import type { Command } from "commander";
import type { AdminClient } from "@sallyport/client";
import { Problem } from "@sallyport/protocol";
import { Secret } from "../../kernel/secret.ts";
import type { Cli } from "../terminal/cli.ts";
import { withClient } from "../terminal/cli.ts";
import { allKeys } from "../terminal/every-page.ts";
import { readSettings } from "../terminal/connect.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { demandGivenPath } from "../terminal/given-path.ts";
import { withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { facts, show, table, timeText, warn } from "../terminal/print.ts";
import { withProgress } from "../terminal/progress.ts";
import { relativeTime } from "../terminal/relative-time.ts";

interface RestoreOptions {
  readonly data?: string;
  readonly identity?: string;
  readonly json?: boolean;
}

interface ConfirmOptions extends ServerOptions {
  readonly revocations?: string;
  readonly yes?: boolean;
}

const BATCH = 1_000;

export function addRestore(program: Command, cli: Cli): void {
  const restore = program
    .command("restore <folder>")
    .description("restore a backup into an empty data directory; the server rejects requests until `restore confirm`")
    .option("--data <dir>", "the new data directory, empty or missing (required)")
    .option("--identity <source>", "decrypts the backup: a file with AGE-SECRET-KEY-…, or a passphrase as env:NAME")
    .option("--json", "print JSON")
    .action((folder: string, options: RestoreOptions) => restoreFolder(cli, folder, options));

  withServer(restore.command("confirm"))
    .description("open a restored server for requests, after repeating the revocations since the backup")
    .option(
      "--revocations <path>",
      "the data directory, its ledger/ folder, or JSON lines that continued after the backup",
    )
    .option("--yes", "confirm, although active keys may have been revoked since the backup")
    .action((options: ConfirmOptions) => confirm(cli, { ...restore.opts(), ...options }));
}

async function restoreFolder(cli: Cli, folder: string, { data, identity, json }: RestoreOptions): Promise<void> {
  if (data === undefined) throw new UsageMistake("no data directory is named", "name the new one with --data");
  const { restoreDirectory } = await import("../../compose/backup.ts");
  demandGivenPath(folder, "directory");
  const directory = resolve(data);
  const { keyEncryptionKey } = await readSettings({ data }, cli.io.env);
  const { manifest, hasKek, isStateVerified } = await withProgress(
    cli.io,
    { label: "restoring", isJson: json },
    (onProgress) =>
      restoreDirectory({
        from: resolve(folder),
        directory,
        source: keyEncryptionKey,
        identity: identity === undefined ? null : identityOf(cli, identity),
        onProgress: (bytes, total) => onProgress("bytes", bytes, total),
      }),
  );
  const backupAt = new Date(manifest.createdAt).toISOString();
  const { version, schema, epoch, head, kek } = manifest;
  const done = { directory, backupAt, version, schema, epoch, records: head.seq, kek, hasKek, isStateVerified };
  show(cli.io, json, done, () =>
    facts({ "data directory": directory, "backup of": timeText(backupAt), records: head.seq }),
  );
  if (!hasKek) warn(cli.io, `the key-encryption key ${kek} was not in the backup: the settings must say where it is`);
  if (!isStateVerified)
    warn(
      cli.io,
      "whether its keys and policy are what the gateway wrote is verified at the first start, with that key",
    );
  warn(
    cli.io,
    "keys that were revoked since the backup would work again, so the server rejects all requests until you run `sallyport restore confirm`",
  );
}

function identityOf(cli: Cli, identity: string) {
  const variable = /^env:(.+)$/.exec(identity)?.[1];
  if (variable !== undefined) return { passphrase: new Secret(cli.io.env[variable] ?? "") };
  return { privateKeys: new Secret(cli.io.readText(identity)) };
}

async function confirm(cli: Cli, options: ConfirmOptions): Promise<void> {
  if (options.revocations !== undefined) demandGivenPath(options.revocations, "any");
  const { dataDirectory } = await readSettings(options, cli.io.env);
  await withClient(cli, options, async (client) => {
    const { isUnconfirmed, seq, hash } = await client.call("restore.show");
    if (!isUnconfirmed || seq === null || hash === null)
      throw new Problem("conflict", "no restore waits to be confirmed");
    const later =
      options.revocations === undefined
        ? undefined
        : await readLater(options.revocations, { seq, hash }, dataDirectory);
    const replayed = { revoked: 0, suspended: 0, disabled: 0, unknown: 0 };
    const records = later?.records ?? [];
    await withProgress(cli.io, { label: "repeating revocations", isJson: options.json }, async (onProgress) => {
      for (let at = 0; at < records.length; at += BATCH) {
        const counts = await client.call("restore.replay", { body: { records: records.slice(at, at + BATCH) } });
        for (const name of ["revoked", "suspended", "disabled", "unknown"] as const) replayed[name] += counts[name];
        onProgress("records", Math.min(at + BATCH, records.length), records.length);
      }
    });
    const isWhole = later?.isWhole ?? false;
    const active = isWhole || options.yes ? [] : await activeKeys(client);
    const isConfirmed = isWhole || options.yes === true;
    if (isConfirmed) await client.call("restore.confirm", { body: { replayed: records.length, isWhole } });
    show(cli.io, options.json, { isConfirmed, isWhole, ...replayed, active }, () => [
      ...(later ? facts({ ...replayed, "whole ledger": isWhole }) : []),
      ...(isConfirmed
        ? ["confirmed: requests are served; policy is as it was at the backup, so apply what was changed since"]
        : table(
            ["ENV", "ID", "NAME", "EXPIRES"],
            active.map((key) => [key.environment, key.id, key.name, relativeTime(key.expiresAt)]),
            "no active keys",
          )),
    ]);
    if (isConfirmed) return;
    warn(
      cli.io,
      "not confirmed: these keys are active and may have been revoked since the backup; revoke those that must not be active, then pass --yes",
    );
    cli.found();
  });
}

async function readLater(path: string, after: { readonly seq: number; readonly hash: string }, dataDirectory: string) {
  const { readLaterRecords } = await import("../../store/backup/later-records.ts");
  return readLaterRecords(resolve(path), after, dataDirectory);
}

interface ActiveKey {
  readonly environment: string;
  readonly id: string;
  readonly name: string;
  readonly expiresAt: string | null;
}

async function activeKeys(client: AdminClient): Promise<readonly ActiveKey[]> {
  const active: ActiveKey[] = [];
  const { keys: admins } = await client.call("adminKeys.list");
  for (const key of admins)
    if (key.state === "active" && !key.isExpired) active.push({ ...pick(key), environment: "system" });
  for (const key of await allKeys(client))
    if (key.state === "active" && !key.isExpired) active.push({ ...pick(key), environment: key.environment });
  return active;
}

function pick({ id, name, expiresAt }: Omit<ActiveKey, "environment">) {
  return { id, name, expiresAt };
}
