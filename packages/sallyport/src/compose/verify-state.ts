/** `audit verify --state`: beside a running server or without one. Loaded by that command only. */
import type { Settings } from "../config/settings.ts";
import { checkState } from "../store/check-state.ts";
import type { StateVerdict } from "../store/check-state.ts";
import { checkDataDirectory } from "../store/data-directory.ts";
import { dataPaths } from "../store/data-paths.ts";
import { openSealer } from "../store/open-sealer.ts";
import { checkSchema } from "../store/schema.ts";
import { openSigningKey } from "../store/signing-key.ts";
import { openDatabase } from "../store/sqlite.ts";

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
