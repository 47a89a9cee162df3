/**
 * The data keys, under which records are encrypted. They are wrapped by the key-encryption key in one file, so that
 * another key-encryption key takes over in one step. The last of them encrypts; the others decrypt older records.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { Problem } from "@sallyport/protocol";
import { randomBase62 } from "../../kernel/ids.ts";
import type { Sealer } from "../../keys/sealer.ts";
import type { DataPaths } from "../disk/data-paths.ts";
import { writeDurably } from "../disk/durable-file.ts";
import { KEY_BYTES, keyIdOf, NotAuthentic, openUnder, sealUnder } from "./envelope.ts";
import type { NamedKey } from "./envelope.ts";
import { flag, json, listOf, object, text } from "../disk/json-shape.ts";
import type { ShapeOf } from "../disk/json-shape.ts";
import type { KeyEncryptionKey } from "./key-encryption-key.ts";

const ID_LENGTH = 12;
/** `isClosed` 1: every secret is encrypted, and plain text is no longer accepted. */
const dataKeysFile = json(object({ kek: text, isClosed: flag, keys: listOf(object({ id: text, wrapped: text })) }));
type DataKeysFile = ShapeOf<typeof dataKeysFile>;

export class DataKeys implements Sealer {
  readonly #path: string;
  #kek: KeyEncryptionKey;
  #keys: readonly NamedKey[];
  #isClosed: boolean;

  private constructor(path: string, kek: KeyEncryptionKey, keys: readonly NamedKey[], isClosed: boolean) {
    this.#path = path;
    this.#kek = kek;
    this.#keys = keys;
    this.#isClosed = isClosed;
  }

  /** Makes the file with one key, on disk when it returns. `isClosed`: there is nothing yet that lies in the clear. */
  static make({ dataKeys }: DataPaths, kek: KeyEncryptionKey, isClosed: boolean): DataKeys {
    const made = new DataKeys(dataKeys, kek, [newKey()], isClosed);
    made.#write();
    return made;
  }

  /** Throws `store_unavailable` where the file is missing or damaged, or the key is not the one it was wrapped by. */
  static read(paths: DataPaths, kek: KeyEncryptionKey): DataKeys {
    const file = readFile(paths);
    if (file.kek !== kek.id)
      throw new Problem(
        "store_unavailable",
        `the secrets lie under the key-encryption key ${file.kek}, and the one given is ${kek.id}`,
      );
    const keys = file.keys.map(({ id, wrapped }) => ({ id, bytes: unwrap(paths, kek, id, wrapped) }));
    return new DataKeys(paths.dataKeys, kek, keys, file.isClosed);
  }

  get kekId(): string {
    return this.#kek.id;
  }

  /** Ids, the oldest first; the last one encrypts. */
  get ids(): readonly string[] {
    return this.#keys.map(({ id }) => id);
  }

  /** False until every secret of an older directory is encrypted. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  close(): void {
    this.#isClosed = true;
    this.#write();
  }

  seal(purpose: string, plaintext: Buffer): string {
    return sealUnder(this.#current, purpose, plaintext);
  }

  open(purpose: string, sealed: string): Buffer {
    const id = keyIdOf(sealed);
    const key = this.#keys.find((one) => one.id === id);
    try {
      if (!key) throw new NotAuthentic();
      return openUnder(key, purpose, sealed);
    } catch {
      throw new Problem(
        "store_unavailable",
        `the encrypted record ${purpose} does not authenticate: restore it from a backup`,
      );
    }
  }

  /** Wraps every key again, and adds one that encrypts from now on, in one write. */
  rewrap(kek: KeyEncryptionKey): void {
    this.#kek = kek;
    this.#keys = [...this.#keys, newKey()];
    this.#write();
  }

  /** Deletes every key but the one that encrypts. The caller knows that nothing is encrypted under the others. */
  dropOld(): void {
    this.#keys = [this.#current];
    this.#write();
  }

  get #current(): NamedKey {
    const last = this.#keys.at(-1);
    if (!last) throw new TypeError("there is no data key");
    return last;
  }

  #write(): void {
    const keys = this.#keys.map(({ id, bytes }) => ({ id, wrapped: sealUnder(this.#kek, purposeOf(id), bytes) }));
    const file = { kek: this.#kek.id, isClosed: this.#isClosed ? 1 : 0, keys };
    writeDurably(this.#path, `${JSON.stringify(file, null, 2)}\n`);
  }
}

/** The id of the required key-encryption key; undefined if nothing has been encrypted yet. */
export function neededKekId(paths: DataPaths): string | undefined {
  return existsSync(paths.dataKeys) ? readFile(paths).kek : undefined;
}

/** Ids of the data keys, without any key: to see whether copied files belong together. */
export function dataKeyIds(content: string): readonly string[] {
  return dataKeysFile(content, "data keys").keys.map(({ id }) => id);
}

function readFile({ dataKeys }: DataPaths): DataKeysFile {
  try {
    const file = dataKeysFile(readFileSync(dataKeys, "utf8"), "data keys");
    if (file.keys.length > 0) return file;
  } catch {
    // As below: without the cause, which may quote what it read.
  }
  throw new Problem("store_unavailable", `${dataKeys} is missing or damaged: put it back from a backup`);
}

function unwrap({ dataKeys }: DataPaths, kek: KeyEncryptionKey, id: string, wrapped: string): Buffer {
  try {
    const bytes = openUnder(kek, purposeOf(id), wrapped);
    if (bytes.length === KEY_BYTES) return bytes;
  } catch {
    // Told below.
  }
  throw new Problem("store_unavailable", `${dataKeys} is damaged: put it back from a backup`);
}

function newKey(): NamedKey {
  return { id: randomBase62(ID_LENGTH), bytes: randomBytes(KEY_BYTES) };
}

function purposeOf(id: string): string {
  return `data-key/${id}`;
}
