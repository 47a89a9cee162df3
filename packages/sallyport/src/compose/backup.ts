/** `backup` and `restore`, joined from settings and the store. Loaded by those commands only. */
import type { Settings } from "../config/settings.ts";
import { systemClock } from "../kernel/clock.ts";
import type { AgeRecipient } from "../store/secrets/age.ts";
import { backUpDirectory } from "../store/backup/back-up-directory.ts";
import type { Backup } from "../store/backup/back-up-directory.ts";
import { checkDataDirectory } from "../store/directory/data-directory.ts";
import { dataPaths } from "../store/disk/data-paths.ts";
import { VERSION } from "../version.ts";

export { restoreDirectory } from "../store/backup/restore.ts";
export type { AgeIdentity, AgeRecipient } from "../store/secrets/age.ts";

/** Works whether or not the server is running; writes nothing but the backup. */
export function backUp(
  settings: Settings,
  folder: string,
  to: AgeRecipient | null,
  onProgress?: (bytes: number, total: number) => void,
): Promise<Backup> {
  const { dataDirectory: directory, keyEncryptionKey: source } = settings;
  checkDataDirectory(directory);
  const isOwnKek = source.kind === "file" && source.path === dataPaths(directory).keyEncryptionKey;
  return backUpDirectory({
    directory,
    folder,
    to,
    isOwnKek,
    version: VERSION,
    clock: systemClock,
    ...(onProgress ? { onProgress } : {}),
  });
}
