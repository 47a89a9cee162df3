/**
 * Opens the encryption of a data directory: the key-encryption key first, then the data keys, then plain secrets of an
 * older program are encrypted, one file at a time. After a kill, the next start continues. The caller holds the
 * directory's lock.
 */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { Problem } from "@sallyport/protocol";
import type { KeyEncryptionKeySource } from "../../keys/sealer.ts";
import { DataKeys, neededKekId } from "./data-keys.ts";
import { dataPaths } from "../disk/data-paths.ts";
import type { DataPaths } from "../disk/data-paths.ts";
import { syncDirectory } from "../disk/durable-file.ts";
import { makeKeyFile, readKeyEncryptionKey, sourceText } from "./key-encryption-key.ts";
import type { KeyEncryptionKey } from "./key-encryption-key.ts";
import { isSealedFile, secretFiles, writeSecretFile } from "./sealed-files.ts";

export interface SealerOptions {
  /** The directory's own file unless told. */
  readonly source?: KeyEncryptionKeySource;
  /** Gets what the operator should read: that plain secrets were encrypted. */
  readonly onNotice?: (text: string) => void;
}

/** Throws `store_unavailable` for a missing or wrong key, and where data keys and secrets do not belong together. */
export function openSealer(directory: string, options: SealerOptions = {}): DataKeys {
  const paths = dataPaths(directory);
  sweep(paths);
  const source = options.source ?? ownSource(paths);
  const keys = existsSync(paths.dataKeys) ? readDataKeys(paths, source) : beginDataKeys(paths, source);
  if (!keys.isClosed) sealWhatIsClear(paths, keys, options.onNotice ?? (() => {}));
  return keys;
}

/** The sealer of a directory that holds no secret yet. */
export function makeSealer(directory: string, source: KeyEncryptionKeySource): DataKeys {
  const paths = dataPaths(directory);
  return existsSync(paths.dataKeys)
    ? readDataKeys(paths, source)
    : DataKeys.make(paths, readOrMakeKek(paths, source), true);
}

export function ownSource(paths: DataPaths): KeyEncryptionKeySource {
  return { kind: "file", path: paths.keyEncryptionKey };
}

/** Where a file's next key lies until the data keys are wrapped by it. */
export function nextKeyFile(path: string): string {
  return `${path}.next`;
}

/** The key the source gives; of a file, the next one where the data keys were wrapped by it already, which then takes its place. */
function readDataKeys(paths: DataPaths, source: KeyEncryptionKeySource): DataKeys {
  if (source.kind === "file" && existsSync(nextKeyFile(source.path))) {
    const next = readKeyEncryptionKey({ kind: "file", path: nextKeyFile(source.path) });
    if (next.id === neededKekId(paths)) putNextInPlace(source.path);
  }
  const needed = neededKekId(paths) ?? "";
  const kek = readNeeded(source, needed);
  if (kek.id !== needed)
    throw new Problem(
      "store_unavailable",
      `the secrets in ${paths.secrets} lie under the key-encryption key ${needed}, and ${sourceText(source)} gives ${kek.id}`,
    );
  return DataKeys.read(paths, kek);
}

function readNeeded(source: KeyEncryptionKeySource, needed: string): KeyEncryptionKey {
  try {
    return readKeyEncryptionKey(source);
  } catch (error) {
    if (error instanceof Problem) throw new Problem(error.code, `${error.message}; the key ${needed} is needed`);
    throw error;
  }
}

export function putNextInPlace(path: string): void {
  renameSync(nextKeyFile(path), path);
  syncDirectory(dirname(path));
}

/** An older directory: nothing in it is encrypted, or data keys have been lost. */
function beginDataKeys(paths: DataPaths, source: KeyEncryptionKeySource): DataKeys {
  const orphan = secretFiles(paths).find(isSealedFile);
  if (orphan)
    throw new Problem(
      "store_unavailable",
      `${paths.dataKeys} is missing, and without it ${orphan.path} cannot be read: put it back from a backup`,
    );
  return DataKeys.make(paths, readOrMakeKek(paths, source), false);
}

/** Only the directory's own file is created; another place was chosen by an operator who has a key for it. */
function readOrMakeKek(paths: DataPaths, source: KeyEncryptionKeySource): KeyEncryptionKey {
  const isOwn = source.kind === "file" && source.path === paths.keyEncryptionKey;
  return isOwn && !existsSync(source.path) ? makeKeyFile(source.path) : readKeyEncryptionKey(source);
}

function sealWhatIsClear(paths: DataPaths, keys: DataKeys, onNotice: (text: string) => void): void {
  const clear = secretFiles(paths).filter((file) => !isSealedFile(file));
  for (const file of clear) writeSecretFile(keys, file, readFileSync(file.path));
  keys.close();
  if (clear.length > 0)
    onNotice(`${clear.length} plaintext secrets are now encrypted under the key-encryption key ${keys.kekId}`);
}

/** Removes a key file that opens nothing any more. */
export function removeKeyFile(path: string): void {
  rmSync(path, { force: true });
  syncDirectory(dirname(path));
}

/** What a kill left of a write: never read, and it may contain a secret in plain text. */
function sweep({ secrets, peppers }: DataPaths): void {
  for (const folder of [secrets, peppers].filter((path) => existsSync(path)))
    for (const name of readdirSync(folder)) if (name.endsWith(".tmp")) rmSync(join(folder, name));
}
