/**
 * Puts a backup into an empty directory. Everything is written aside and compared with the manifest before any of it
 * takes its place; the database comes last, so that what was interrupted is no data directory.
 */
import { createHash } from "node:crypto";
import { chmodSync, createReadStream, existsSync, mkdirSync, renameSync, rmdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { Problem } from "@sallyport/protocol";
import { systemClock } from "../../kernel/clock.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { KeyEncryptionKeySource } from "../../keys/sealer.ts";
import { openSealed } from "../secrets/age.ts";
import type { AgeIdentity } from "../secrets/age.ts";
import { damaged, readArchive } from "./archive.ts";
import type { ArchiveEntry } from "./archive.ts";
import { demandWhole } from "../disk/database-copy.ts";
import { entriesOf } from "./backup-contents.ts";
import { dataPaths } from "../disk/data-paths.ts";
import { syncDirectory, writeDurably, writeStream } from "../disk/durable-file.ts";
import {
  isBackupName,
  isIncidentName,
  MANIFEST_BYTES_MAX,
  MANIFEST_NAME,
  manifestShape,
  NEEDED,
  PLAIN_NAME,
  SEALED_NAME,
} from "./manifest.ts";
import type { Manifest, ManifestFile } from "./manifest.ts";
import { checkState, stateProblem } from "../state/check-state.ts";
import { readKeyEncryptionKey } from "../secrets/key-encryption-key.ts";
import { openSealer, ownSource } from "../secrets/open-sealer.ts";
import { openSigningKey } from "../secrets/signing-key.ts";
import { openDatabase } from "../disk/sqlite.ts";
import { formatRestoredMark } from "../state/restored-mark.ts";
import { SCHEMA_VERSION } from "../disk/schema.ts";

const ASIDE = ".restoring";
const SECRET_BYTES_MAX = 1024 * 1024;

export interface RestoreOrder {
  /** The folder of the backup. */
  readonly from: string;
  /** Empty, or not there yet. */
  readonly directory: string;
  /** Null where none is needed: the archive lies in the clear. */
  readonly identity: AgeIdentity | null;
  /** Where the key-encryption key is, where the backup does not hold it. */
  readonly source?: KeyEncryptionKeySource;
  readonly clock?: Pick<Clock, "now">;
  /** Called with the bytes read, of all the backup has. */
  readonly onProgress?: (bytes: number, total: number) => void;
}

export interface Restored {
  readonly manifest: Manifest;
  readonly hasKek: boolean;
  /** Its rows are what the gateway wrote. False if the key for this check is missing: then the first start checks. */
  readonly isStateVerified: boolean;
}

/** Throws `conflict` where the directory holds anything, `input_invalid` for a backup that is damaged or cannot be opened. */
export async function restoreDirectory({
  from,
  directory,
  identity,
  source,
  clock = systemClock,
  onProgress = () => {},
}: RestoreOrder): Promise<Restored> {
  const aside = join(directory, ASIDE);
  demandEmpty(directory);
  const wasThere = existsSync(directory);
  const archive = openArchive(from, identity, onProgress);
  mkdirSync(aside, { recursive: true, mode: 0o700 });
  try {
    for (const folder of [directory, aside]) chmodSync(folder, 0o700);
    for (const folder of ["ledger", "secrets", join("secrets", "peppers")])
      mkdirSync(join(aside, folder), { mode: 0o700 });
    const manifest = await unpack(archive, aside);
    const { schema, head, epoch, version, createdAt, files } = manifest;
    if (schema > SCHEMA_VERSION)
      throw new Problem(
        "input_invalid",
        `the backup was made by a newer Sallyport (${version}): restore it with that one`,
      );
    demandWhole(join(aside, "sallyport.db"), schema, "integrity_check");
    // A backup made by `backup` never contains it: an added one could come with forged keys and everything to match
    // them.
    if (files.some(({ name }) => name === "secrets/kek") && entriesOf(from).includes(PLAIN_NAME))
      throw new Problem(
        "input_invalid",
        "a backup in the clear that holds a key-encryption key is not one of `backup`",
      );
    const isStateVerified = await verifyState(aside, manifest, source);
    const mark = { backupAt: createdAt, restoredAt: clock.now(), ...head, epoch, version, isRecorded: false };
    writeDurably(dataPaths(aside).restored, formatRestoredMark(mark));
    // The mark first: there must never be a restored database without it.
    for (const name of ["restored.json", "incidents", "secrets", "ledger", "sallyport.db"]) {
      // Most backups have no incidents.
      if (!existsSync(join(aside, name))) continue;
      renameSync(join(aside, name), join(directory, name));
      syncDirectory(directory);
    }
    rmdirSync(aside);
    return { manifest, hasKek: files.some(({ name }) => name === "secrets/kek"), isStateVerified };
  } catch (error) {
    clear(directory);
    if (!wasThere) rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

/** Rejects with `input_invalid` for a backup whose rows are not what the gateway wrote. */
async function verifyState(
  aside: string,
  { schema, kek }: Manifest,
  source: KeyEncryptionKeySource | undefined,
): Promise<boolean> {
  // The upgrade at its first start binds an older database, or rejects it.
  if (schema !== SCHEMA_VERSION) return false;
  const paths = dataPaths(aside);
  const from = existsSync(paths.keyEncryptionKey) ? ownSource(paths) : source;
  if (!from || !holdsKey(from, kek)) return false;
  const signingKey = openSigningKey(paths, openSealer(aside, { source: from }));
  const database = openDatabase(paths.database, { isReadOnly: true });
  try {
    const { firstDifference } = await checkState({ database, signingKey });
    if (firstDifference) throw new Problem("input_invalid", stateProblem(firstDifference).message);
    return true;
  } finally {
    database.close();
  }
}

function holdsKey(source: KeyEncryptionKeySource, id: string): boolean {
  try {
    return readKeyEncryptionKey(source).id === id;
  } catch {
    return false;
  }
}

/** What a killed restore left is no other thing: it is known by the folder it worked in, and goes. */
function demandEmpty(directory: string): void {
  const entries = entriesOf(directory);
  if (entries.includes(ASIDE) && !existsSync(dataPaths(directory).database)) clear(directory);
  else if (entries.length > 0) throw new Problem("conflict", `${directory} is not empty: name an empty directory`);
  const left = entriesOf(directory);
  if (left.length > 0)
    throw new Problem("conflict", `${directory} holds other things (${left.slice(0, 3).join(", ")})`);
}

/** The folder it works in goes last: it is what the rest is known by. */
function clear(directory: string): void {
  const { restored, database } = dataPaths(directory);
  for (const path of [
    database,
    join(directory, "ledger"),
    join(directory, "secrets"),
    join(directory, "incidents"),
    restored,
    join(directory, ASIDE),
  ])
    rmSync(path, { recursive: true, force: true });
}

function openArchive(
  from: string,
  identity: AgeIdentity | null,
  onProgress: NonNullable<RestoreOrder["onProgress"]>,
): AsyncIterable<Uint8Array> {
  const names = entriesOf(from).filter((name) => name === SEALED_NAME || name === PLAIN_NAME);
  const [name] = names;
  if (name === undefined || names.length > 1)
    throw new Problem("not_found", `${from} holds no backup (${SEALED_NAME} or ${PLAIN_NAME})`);
  const chunks = readCounted(join(from, name), onProgress);
  if (name === PLAIN_NAME) return chunks;
  if (!identity)
    throw new Problem(
      "input_invalid",
      "the backup is encrypted: pass --identity with the file or variable that decrypts it",
    );
  return openSealed(chunks, identity);
}

async function* readCounted(
  path: string,
  onProgress: NonNullable<RestoreOrder["onProgress"]>,
): AsyncGenerator<Uint8Array> {
  const total = statSync(path).size;
  let read = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    yield chunk;
    onProgress((read += chunk.length), total);
  }
}

/** Writes the entries and answers the manifest they have turned out to fit. */
async function unpack(chunks: AsyncIterable<Uint8Array>, aside: string): Promise<Manifest> {
  const found: ManifestFile[] = [];
  let manifest: Manifest | undefined;
  for await (const entry of readArchive(chunks)) {
    // The manifest is the last one: what comes after it is in no list.
    if (manifest) throw damaged();
    if (entry.name === MANIFEST_NAME) manifest = await readManifest(entry);
    else {
      if (!isBackupName(entry.name) || found.some(({ name }) => name === entry.name)) throw damaged();
      found.push(await writeEntry(entry, aside));
    }
  }
  if (!manifest || !isSame(manifest.files, found)) throw damaged();
  if (NEEDED.some((name) => !found.some((one) => one.name === name))) throw damaged();
  const folders = new Set(found.map(({ name }) => dirname(name)).filter((folder) => folder.startsWith("incidents/")));
  for (const folder of ["ledger", join("secrets", "peppers"), "secrets", ...folders])
    syncDirectory(join(aside, folder));
  return manifest;
}

async function readManifest({ bytes, content }: ArchiveEntry): Promise<Manifest> {
  if (bytes > MANIFEST_BYTES_MAX) throw damaged();
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  try {
    return manifestShape(Buffer.concat(chunks).toString("utf8"), "manifest");
  } catch {
    throw damaged();
  }
}

async function writeEntry({ name, bytes, content }: ArchiveEntry, aside: string): Promise<ManifestFile> {
  // Secrets are small: they are read whole by every start.
  if (name.startsWith("secrets/") && bytes > SECRET_BYTES_MAX) throw damaged();
  const sum = createHash("sha256");
  const mode = name === "ledger/public.pem" ? 0o644 : 0o600;
  const path = join(aside, name);
  if (isIncidentName(name)) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (!existsSync(dirname(path))) throw damaged();
  const hashed = (async function* hashing() {
    for await (const chunk of content) {
      sum.update(chunk);
      yield chunk;
    }
  })();
  await writeStream(path, hashed, mode);
  return { name, bytes, sha256: sum.digest("hex") };
}

function isSame(said: readonly ManifestFile[], found: readonly ManifestFile[]): boolean {
  return (
    said.length === found.length &&
    said.every(({ name, bytes, sha256 }, at) => {
      const one = found[at];
      return one?.name === name && one.bytes === bytes && one.sha256 === sha256;
    })
  );
}
