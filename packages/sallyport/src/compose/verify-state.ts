/** `audit verify --state`: beside a running server or without one. Loaded by that command only. */
import type { Settings } from "../config/settings.ts";
import { checkState } from "../store/state/check-state.ts";
import type { StateVerdict } from "../store/state/check-state.ts";
import { checkDataDirectory } from "../store/directory/data-directory.ts";
import { dataPaths } from "../store/disk/data-paths.ts";
import { openSealer } from "../store/secrets/open-sealer.ts";
import { checkSchema } from "../store/disk/schema.ts";
import { openSigningKey } from "../store/secrets/signing-key.ts";
import { openDatabase } from "../store/disk/sqlite.ts";

export async function verifyDirectoryState({
  dataDirectory,
  keyEncryptionKey,
}: Pick<Settings, "dataDirectory" | "keyEncryptionKey">): Promise<StateVerdict> {
  checkDataDirectory(dataDirectory);
  const paths = dataPaths(dataDirectory);
  const signingKey = openSigningKey(paths, openSealer(dataDirectory, { source: keyEncryptionKey }));
  const database = openDatabase(paths.database, { isReadOnly: true });
  try {
    checkSchema(database);
    return await checkState({ database, signingKey });
  } finally {
    database.close();
  }
}
