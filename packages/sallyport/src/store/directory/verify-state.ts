/** `audit verify --state`, whether or not the server is running. Loaded by that command only. */
import { checkState } from "../state/check-state.ts";
import type { StateVerdict } from "../state/check-state.ts";
import { checkDataDirectory } from "./data-directory.ts";
import type { DirectoryPlace } from "./data-directory.ts";
import { dataPaths } from "../disk/data-paths.ts";
import { openSealer } from "../secrets/open-sealer.ts";
import { checkSchema } from "../disk/schema.ts";
import { openSigningKey } from "../secrets/signing-key.ts";
import { openDatabase } from "../disk/sqlite.ts";

export async function verifyDirectoryState({ dataDirectory, keyEncryptionKey }: DirectoryPlace): Promise<StateVerdict> {
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
