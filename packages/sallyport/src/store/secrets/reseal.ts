/**
 * Re-encrypts everything under another key-encryption key and a new data key. The state of the work is in a file next
 * to the keys, so that it can be killed anywhere and continues when it is started again.
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { Problem } from "@sallyport/protocol";
import type { DataKeys } from "./data-keys.ts";
import type { DataPaths } from "../disk/data-paths.ts";
import { syncDirectory, writeDurably } from "../disk/durable-file.ts";
import { keyIdOf } from "./envelope.ts";
import { json, object, text } from "../disk/json-shape.ts";
import type { KeyEncryptionKey } from "./key-encryption-key.ts";
import type { SealedRecords } from "./sealed-records.ts";

const rekeyFile = json(object({ from: text, to: text }));

/** Ids of the two key-encryption keys. */
export interface Rekey {
  readonly from: string;
  readonly to: string;
}

/** What was begun and not ended; undefined where nothing was. */
export function rekeyUnderWay({ rekey }: DataPaths): Rekey | undefined {
  if (!existsSync(rekey)) return undefined;
  try {
    return rekeyFile(readFileSync(rekey, "utf8"), "rekey");
  } catch {
    throw new Problem("store_unavailable", `${rekey} is damaged: put the directory back from a backup`);
  }
}

/** From here on the next key is the one that is needed. */
export function beginRekey(paths: DataPaths, keys: DataKeys, next: KeyEncryptionKey): Rekey {
  const rekey = { from: keys.kekId, to: next.id };
  writeDurably(paths.rekey, `${JSON.stringify(rekey)}\n`);
  keys.rewrap(next);
  return rekey;
}

/** Encrypts every record under the newest data key, then deletes the others. Returns the number of records. */
export function reseal(
  keys: DataKeys,
  places: readonly SealedRecords[],
  onProgress: (done: number, total: number) => void,
): number {
  const total = places.reduce((sum, place) => sum + place.count(), 0);
  const newest = keys.ids.at(-1);
  let done = 0;
  for (const place of places)
    place.each((purpose, sealed, replace) => {
      if (keyIdOf(sealed) !== newest) replace(keys.seal(purpose, keys.open(purpose, sealed)));
      onProgress(++done, total);
    });
  // Checked again: a deleted data key cannot be recovered.
  for (const place of places)
    place.each((purpose, sealed) => {
      if (keyIdOf(sealed) !== newest)
        throw new Problem("store_unavailable", `${purpose} is still under an old data key`);
    });
  keys.dropOld();
  return total;
}

export function endRekey({ rekey, secrets }: DataPaths): void {
  rmSync(rekey, { force: true });
  syncDirectory(secrets);
}
