/** `audit verify`: whatever `path` is. An auditor who has no data directory needs `@sallyport/ledger` alone. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { MANIFEST_FILE } from "@sallyport/ledger";
import type { LedgerVerdict, Pins } from "@sallyport/ledger";
import { verifyFile } from "@sallyport/ledger/node";
import { isInitialized } from "../disk/data-paths.ts";
import { openLedgerReader } from "../search/ledger-reader.ts";

/** A data directory is counted in records, an export in bytes read. */
export interface VerifyProgress {
  readonly onRecords?: (records: number, total: number) => void;
  readonly onBytes?: (bytes: number) => void;
}

/** A data directory, an export or a proof. Damage is a verdict; what cannot be read is a `Problem`. */
export async function verifyPath(path: string, pins: Pins, progress: VerifyProgress = {}): Promise<LedgerVerdict> {
  const isDirectory = existsSync(path) && isInitialized(path) && !existsSync(join(path, MANIFEST_FILE));
  return isDirectory
    ? openLedgerReader(path).verify(pins, progress.onRecords)
    : verifyFile(path, pins, progress.onBytes);
}
