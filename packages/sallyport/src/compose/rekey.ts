/** `rekey`: another key-encryption key, or other peppers, with the server stopped. Loaded by that command only. */
import { existsSync } from "node:fs";
import { Problem } from "@sallyport/protocol";
import type { LedgerEvent } from "../audit/event.ts";
import type { Settings } from "../config/settings.ts";
import { systemClock } from "../kernel/clock.ts";
import { currentUser } from "../kernel/current-user.ts";
import { openLog } from "../kernel/log.ts";
import { SYSTEM_REALM } from "../keys/key.ts";
import type { KeyEncryptionKeySource } from "../keys/sealer.ts";
import { neededKekId } from "../store/secrets/data-keys.ts";
import { dataPaths } from "../store/disk/data-paths.ts";
import type { DataPaths } from "../store/disk/data-paths.ts";
import { makeKeyFile, readKeyEncryptionKey, sourceText } from "../store/secrets/key-encryption-key.ts";
import type { KeyEncryptionKey } from "../store/secrets/key-encryption-key.ts";
import { nextKeyFile, putNextInPlace, removeKeyFile } from "../store/secrets/open-sealer.ts";
import { beginRekey, endRekey, rekeyUnderWay, reseal } from "../store/secrets/reseal.ts";
import { sealedFiles } from "../store/secrets/sealed-files.ts";
import { localLoginRecords, tokenKeyRecords } from "../store/state/sealed-rows.ts";
import { openCore } from "./core.ts";
import type { Core } from "./core.ts";

export interface Rekeyed {
  /** Ids of the key-encryption keys before and now. */
  readonly from: string;
  readonly to: string;
  /** Where the key is now, as the settings have to say it. */
  readonly source: string;
  readonly records: number;
}

/**
 * Gives everything sealed a new key-encryption key: the one `to` gives, or, without it, a new one in the present one's
 * file. Begun and killed, it goes on when it is called with the same words again.
 */
export async function rekey(
  settings: Settings,
  to: KeyEncryptionKeySource | null,
  onProgress: (done: number, total: number) => void,
): Promise<Rekeyed> {
  const paths = dataPaths(settings.dataDirectory);
  const core = await openCore(
    { ...settings, keyEncryptionKey: presentSource(paths, settings, to) },
    systemClock,
    openLog(settings.logLevel),
  );
  try {
    const held = rekeyUnderWay(paths);
    const isBegun = held !== undefined && held.to === core.sealer.kekId;
    const { from, to: now } = isBegun ? held : beginRekey(paths, core.sealer, nextKey(core, settings, to));
    const source = to ?? settings.keyEncryptionKey;
    if (source.kind === "file" && existsSync(nextKeyFile(source.path))) putNextInPlace(source.path);
    const directory = settings.dataDirectory;
    const places = [
      sealedFiles(paths),
      tokenKeyRecords(directory, core.sealer),
      localLoginRecords(directory, core.sealer),
    ];
    const records = reseal(core.sealer, places, onProgress);
    await record(core, "gateway.kek_rotated", SYSTEM_REALM, { from, to: now, source: source.kind, records });
    const own = paths.keyEncryptionKey;
    if (existsSync(own) && readKeyEncryptionKey({ kind: "file", path: own }).id !== now) removeKeyFile(own);
    endRekey(paths);
    return { from, to: now, source: sourceText(source), records };
  } finally {
    await core.close();
  }
}

/** Settings may still name the old place when a rekey to another one is gone on with. */
function presentSource(
  paths: DataPaths,
  settings: Settings,
  to: KeyEncryptionKeySource | null,
): KeyEncryptionKeySource {
  if (to === null || rekeyUnderWay(paths) === undefined) return settings.keyEncryptionKey;
  if (to.kind === "file" && !existsSync(to.path) && !existsSync(nextKeyFile(to.path))) return settings.keyEncryptionKey;
  if (isSamePlace(to, settings.keyEncryptionKey)) return to;
  return readKeyEncryptionKey(to).id === neededKekId(paths) ? to : settings.keyEncryptionKey;
}

function nextKey(core: Core, settings: Settings, to: KeyEncryptionKeySource | null): KeyEncryptionKey {
  const target = to ?? settings.keyEncryptionKey;
  if (isSamePlace(target, settings.keyEncryptionKey)) {
    if (target.kind === "file") return makeKeyFile(nextKeyFile(target.path));
    throw new Problem("input_invalid", `${sourceText(target)} cannot be given a new key from here: name another place`);
  }
  if (target.kind === "file" && !existsSync(target.path)) return makeKeyFile(target.path);
  const next = readKeyEncryptionKey(target);
  if (next.id === core.sealer.kekId)
    throw new Problem("input_invalid", `${sourceText(target)} gives the key ${next.id}, which is the present one`);
  return next;
}

function isSamePlace(a: KeyEncryptionKeySource, b: KeyEncryptionKeySource): boolean {
  return sourceText(a) === sourceText(b);
}

export interface RotatedPepper {
  readonly environment: string;
  readonly version: number;
  /** Versions that no key needed any more. */
  readonly dropped: readonly number[];
}

/** Gives one environment, or each, a new pepper, and lets go of those that no key needs that could still be used. */
export async function rotatePeppers(settings: Settings, environment: string | null): Promise<readonly RotatedPepper[]> {
  const core = await openCore(settings, systemClock, openLog(settings.logLevel));
  try {
    const { peppers } = core;
    if (environment !== null && !peppers.environments.includes(environment))
      throw new Problem("not_found", `the environment ${JSON.stringify(environment)} has no pepper`);
    const done: RotatedPepper[] = [];
    for (const name of environment === null ? peppers.environments : [environment]) {
      const needed = neededPeppers(core, name);
      const present = peppers.versions(name).at(-1) ?? 0;
      const version = present + 1;
      const dropped = peppers.versions(name).filter((one) => one !== present && !needed.has(one));
      // On record before it is done: a new pepper without its record must not be.
      const fields = { version, dropped: dropped.map(String) };
      await record(core, "gateway.pepper_rotated", name, fields);
      peppers.rotate(name);
      for (const old of dropped) peppers.drop(name, old);
      done.push({ environment: name, version, dropped });
    }
    return done;
  } finally {
    await core.close();
  }
}

/** Versions that keys which are neither revoked nor expired, their path secrets and HMAC signers rest on; all, where a key cannot be read. */
function neededPeppers({ store, peppers, damage }: Core, environment: string): ReadonlySet<number> {
  const now = systemClock.now();
  const needed = new Set<number>();
  const limit = 1_000;
  for (let after: string | undefined; ;) {
    const keys = store.reader.keys({ environment, limit, ...(after === undefined ? {} : { after }) });
    for (const key of keys) {
      if (key.state === "revoked") continue;
      for (const { state, expiresAt, pepperVersion } of key.secrets)
        if (state !== "destroyed" && (expiresAt === null || expiresAt > now)) needed.add(pepperVersion);
      if (key.pathSecret) needed.add(key.pathSecret.pepperVersion);
      for (const { algorithm, material } of key.signers) if (algorithm === "hmac-sha256") needed.add(Number(material));
    }
    const last = keys.at(-1);
    if (!last || keys.length < limit) {
      const isWhole = damage.rows().every((row) => row.environment !== environment);
      return isWhole ? needed : new Set(peppers.versions(environment));
    }
    after = `${last.environment}/${last.id}`;
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
