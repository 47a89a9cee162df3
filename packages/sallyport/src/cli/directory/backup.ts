/** `sallyport backup` */
import { resolve } from "node:path";
import type { Command } from "commander";
import { Secret } from "../../kernel/secret.ts";
import type { Cli } from "../terminal/cli.ts";
import { readSettings } from "../terminal/connect.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { listOption, withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { facts, show, warn } from "../terminal/print.ts";
import { withProgress } from "../terminal/progress.ts";

interface BackupOptions extends ServerOptions {
  readonly to?: string[];
  readonly plain?: boolean;
}

export function addBackup(program: Command, cli: Cli): void {
  withServer(program.command("backup <folder>"))
    .description(
      "back up the database, secrets and audit log into an empty folder, whether or not the server is running",
    )
    .addOption(listOption("--to <recipients>", "who can open it: age1… public keys, or a passphrase as env:NAME"))
    .option("--plain", "do not encrypt the archive; it leaves out the key-encryption key")
    .action(async (folder: string, options: BackupOptions) => {
      const to = recipientOf(options, cli.io.env);
      const settings = await readSettings(options, cli.io.env);
      const { backUp } = await import("../../compose/backup.ts");
      const { path, bytes, hasKek, manifest } = await withProgress(
        cli.io,
        { label: "backing up", isJson: options.json },
        (onProgress) => backUp(settings, resolve(folder), to, (bytes, total) => onProgress("bytes", bytes, total)),
      );
      const { version, schema, epoch, head, kek } = manifest;
      const createdAt = new Date(manifest.createdAt).toISOString();
      const done = {
        path,
        bytes,
        isSealed: to !== null,
        createdAt,
        version,
        schema,
        epoch,
        records: head.seq,
        kek,
        hasKek,
      };
      show(cli.io, options.json, done, () =>
        facts({ backup: path, bytes, sealed: done.isSealed, files: manifest.files.length, records: head.seq }),
      );
      if (!hasKek)
        warn(cli.io, `the key-encryption key ${kek} is not in it, and is needed after a restore: keep it elsewhere`);
    });
}

function recipientOf({ to, plain }: BackupOptions, env: Cli["io"]["env"]) {
  if (plain && to) throw new UsageMistake("--plain and --to exclude each other");
  if (plain) return null;
  if (!to || to.length === 0)
    throw new UsageMistake(
      "no recipient is named, and a backup is encrypted by default",
      "pass --to with an age recipient or env:NAME of a passphrase, or --plain for an unencrypted backup",
    );
  const variable = /^env:(.+)$/.exec(to[0] ?? "")?.[1];
  if (variable === undefined) return { publicKeys: to };
  if (to.length > 1)
    throw new UsageMistake(
      "a passphrase cannot be combined with other recipients",
      "pass --to env:NAME once, or only age1… recipients",
    );
  return { passphrase: new Secret(env[variable] ?? "") };
}
