/** `rekey --kek`: re-encrypts everything under another key-encryption key, with the server stopped. */
import { existsSync } from "node:fs";
import { Problem } from "@sallyport/protocol";
import type { KeyEncryptionKeySource } from "../../keys/sealer.ts";
import { dataPaths } from "../disk/data-paths.ts";
import { neededKekId } from "../secrets/data-keys.ts";
import type { DataKeys } from "../secrets/data-keys.ts";
import { makeKeyFile, readKeyEncryptionKey, sourceText } from "../secrets/key-encryption-key.ts";
import type { KeyEncryptionKey } from "../secrets/key-encryption-key.ts";
import { nextKeyFile, putNextInPlace, removeKeyFile } from "../secrets/open-sealer.ts";
import { beginRekey, endRekey, rekeyUnderWay, reseal } from "../secrets/reseal.ts";
import { sealedFiles } from "../secrets/sealed-files.ts";
import { localLoginRecords, tokenKeyRecords } from "../state/sealed-rows.ts";
import type { DirectoryPlace } from "./data-directory.ts";

export interface Rekeyed {
  /** Ids of the key-encryption keys before and now. */
  readonly from: string;
  readonly to: string;
  /** Where the key is now, as the settings have to say it. */
  readonly source: string;
  readonly records: number;
}

export interface RekeyOrder {
  /** `keyEncryptionKey`: as the settings say it. */
  readonly place: DirectoryPlace;
  /** Opened with `presentSource()`. */
  readonly sealer: DataKeys;
  /** What gives the new key; null for a new one in the present one's file. */
  readonly to: KeyEncryptionKeySource | null;
  readonly onProgress: (done: number, total: number) => void;
  /** Records that it was done, before the old key is let go. */
  readonly record: (fields: Readonly<Record<string, string | number>>) => Promise<void>;
}

/** Begun and killed, it goes on when it is called with the same words again. */
export async function rekeyDirectory({ place, sealer, to, onProgress, record }: RekeyOrder): Promise<Rekeyed> {
  const directory = place.dataDirectory;
  const paths = dataPaths(directory);
  const held = rekeyUnderWay(paths);
  const isBegun = held !== undefined && held.to === sealer.kekId;
  const { from, to: now } = isBegun ? held : beginRekey(paths, sealer, nextKey(sealer, place, to));
  const source = to ?? place.keyEncryptionKey;
  if (source.kind === "file" && existsSync(nextKeyFile(source.path))) putNextInPlace(source.path);
  const places = [sealedFiles(paths), tokenKeyRecords(directory, sealer), localLoginRecords(directory, sealer)];
  const records = reseal(sealer, places, onProgress);
  await record({ from, to: now, source: source.kind, records });
  const own = paths.keyEncryptionKey;
  if (existsSync(own) && readKeyEncryptionKey({ kind: "file", path: own }).id !== now) removeKeyFile(own);
  endRekey(paths);
  return { from, to: now, source: sourceText(source), records };
}

/** What opens the directory now. Settings may still name the old place when a rekey to another one is gone on with. */
export function presentSource(place: DirectoryPlace, to: KeyEncryptionKeySource | null): KeyEncryptionKeySource {
  const paths = dataPaths(place.dataDirectory);
  const present = place.keyEncryptionKey;
  if (to === null || rekeyUnderWay(paths) === undefined) return present;
  if (to.kind === "file" && !existsSync(to.path) && !existsSync(nextKeyFile(to.path))) return present;
  if (isSamePlace(to, present)) return to;
  return readKeyEncryptionKey(to).id === neededKekId(paths) ? to : present;
}

function nextKey(sealer: DataKeys, place: DirectoryPlace, to: KeyEncryptionKeySource | null): KeyEncryptionKey {
  const target = to ?? place.keyEncryptionKey;
  if (isSamePlace(target, place.keyEncryptionKey)) {
    if (target.kind === "file") return makeKeyFile(nextKeyFile(target.path));
    throw new Problem("input_invalid", `${sourceText(target)} cannot be given a new key from here: name another place`);
  }
  if (target.kind === "file" && !existsSync(target.path)) return makeKeyFile(target.path);
  const next = readKeyEncryptionKey(target);
  if (next.id === sealer.kekId)
    throw new Problem("input_invalid", `${sourceText(target)} gives the key ${next.id}, which is the present one`);
  return next;
}

function isSamePlace(a: KeyEncryptionKeySource, b: KeyEncryptionKeySource): boolean {
  return sourceText(a) === sourceText(b);
}
