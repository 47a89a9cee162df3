/** `audit repair`: with the server stopped. Loaded by that command only. */
import { existsSync } from "node:fs";
import { Problem } from "@sallyport/protocol";
import type { LedgerDamage } from "@sallyport/ledger";
import { systemClock } from "../../kernel/clock.ts";
import { checkDataDirectory } from "./data-directory.ts";
import type { DirectoryPlace } from "./data-directory.ts";
import { dataPaths } from "../disk/data-paths.ts";
import { openLedgerReader } from "../search/ledger-reader.ts";
import { lockDataDirectory } from "../disk/lock.ts";
import { openSealer } from "../secrets/open-sealer.ts";
import { repairLogs, verifyChain } from "../writer/repair-logs.ts";
import type { Repair } from "../writer/repair-logs.ts";
import { openSigningKey } from "../secrets/signing-key.ts";
import { openDatabase } from "../disk/sqlite.ts";
import { upgradeDatabase } from "../state/upgrade.ts";

/** What `audit repair --json` prints. */
export interface Repaired extends Repair {
  /** Verified after the repair. */
  readonly ok: boolean;
  readonly records: number;
  readonly firstDamage?: LedgerDamage;
}

/** Throws `data_in_use` while the server runs. Damage in the records themselves is reported and left as it is. */
export async function repairAudit(
  { dataDirectory, keyEncryptionKey }: DirectoryPlace,
  onNotice: (text: string) => void,
): Promise<Repaired> {
  checkDataDirectory(dataDirectory);
  const paths = dataPaths(dataDirectory);
  if (!existsSync(paths.database)) throw new Problem("data_missing", dataDirectory);
  const lock = lockDataDirectory(dataDirectory);
  try {
    const signingKey = openSigningKey(paths, openSealer(dataDirectory, { source: keyEncryptionKey, onNotice }));
    upgradeDatabase({ directory: dataDirectory, clock: systemClock, signingKey, onNotice });
    const database = openDatabase(paths.database, { isReadOnly: false });
    try {
      database.exec("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON");
      const { ok, records, firstDamage } = await verifyChain(database, paths);
      if (!ok) return { ok, records, ...(firstDamage ? { firstDamage } : {}), removed: [], rebuilt: [] };
      const repair = await repairLogs(database, paths, signingKey, systemClock.now());
      return { ...repair, ...(await verdictOf(dataDirectory)) };
    } finally {
      database.close();
    }
  } finally {
    lock.release();
  }
}

async function verdictOf(directory: string): Promise<Pick<Repaired, "ok" | "records" | "firstDamage">> {
  const reader = openLedgerReader(directory);
  try {
    const { ok, records, firstDamage } = await reader.verify();
    return { ok, records, ...(firstDamage ? { firstDamage } : {}) };
  } finally {
    reader.close();
  }
}
