/** `rekey`, with the server stopped: opens the directory for it. Loaded by that command only. */
import { Problem, SYSTEM_REALM } from "@sallyport/protocol";
import type { LedgerEvent } from "../audit/event.ts";
import type { Settings } from "../config/settings.ts";
import { systemClock } from "../kernel/clock.ts";
import { currentUser } from "../kernel/current-user.ts";
import { openLog } from "../kernel/log.ts";
import { rotateKeptPeppers as rotate } from "../keys/rotate-peppers.ts";
import type { RotatedPepper } from "../keys/rotate-peppers.ts";
import type { KeyEncryptionKeySource } from "../keys/sealer.ts";
import { presentSource, rekeyDirectory as rekeyRecords } from "../store/directory/rekey.ts";
import type { Rekeyed } from "../store/directory/rekey.ts";
import { openCore } from "./core.ts";
import type { Core } from "./core.ts";

/**
 * Re-encrypts everything under the key-encryption key that `to` provides or, without it, under a new one in the present
 * one's file.
 */
export async function rekey(
  settings: Settings,
  to: KeyEncryptionKeySource | null,
  onProgress: (done: number, total: number) => void,
): Promise<Rekeyed> {
  const present = { ...settings, keyEncryptionKey: presentSource(settings, to) };
  return withCore(present, (core) =>
    rekeyRecords({
      place: settings,
      sealer: core.sealer,
      to,
      onProgress,
      record: (fields) => record(core, "gateway.kek_rotated", SYSTEM_REALM, fields),
    }),
  );
}

/** Gives one environment, or each, a new pepper. */
export async function rotatePeppers(settings: Settings, environment: string | null): Promise<readonly RotatedPepper[]> {
  return withCore(settings, (core) => {
    const { peppers, store, damage } = core;
    const rotation = {
      peppers,
      keys: (of: string, after: string | undefined, limit: number) =>
        store.reader.keys({ environment: of, limit, ...(after === undefined ? {} : { after }) }),
      isWhole: (of: string) => damage.rows().every((row) => row.environment !== of),
      now: () => systemClock.now(),
      record: (of: string, fields: LedgerEvent["fields"]) => record(core, "gateway.pepper_rotated", of, fields),
    };
    return rotate(rotation, environment);
  });
}

async function withCore<T>(settings: Settings, work: (core: Core) => Promise<T>): Promise<T> {
  const core = await openCore(settings, systemClock, openLog(settings.logLevel));
  try {
    // The other gateways would keep the old secrets, and could read nothing of what comes.
    if (core.authority)
      throw new Problem("conflict", "several gateways share these secrets: run 'sallyport migrate --to sqlite' first");
    return await work(core);
  } finally {
    await core.close();
  }
}

async function record(
  core: Core,
  type: LedgerEvent["type"],
  environment: string,
  fields: LedgerEvent["fields"],
): Promise<void> {
  const actor = `os:${currentUser()}`;
  const at = systemClock.now();
  await core.changes.inTurn(() =>
    core.changes.change({ operations: [], events: [{ type, at, environment, actor, fields }] }),
  );
}
