/**
 * The only place where parts are built and joined: here what opens and starts something, `compose/core.ts` (what all need),
 * `compose/gateway.ts`, `compose/data-plane.ts`, `compose/administration.ts`. What comes after the core is loaded while the
 * core's own thread starts.
 */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Problem, SYSTEM_REALM } from "@sallyport/protocol";
import { everything } from "./access/everything.ts";
import { DEFAULT_UPSTREAM_URL, defaultEnvironment } from "./access/default-environment.ts";
import type { AuditVerdict } from "./audit/audit-log.ts";
import type { Administration } from "./compose/administration.ts";
import { openCore } from "./compose/core.ts";
import type { Core } from "./compose/core.ts";
import type { Gateway, PracticeChoice } from "./compose/gateway.ts";
import type { Settings } from "./config/settings.ts";
import { systemClock } from "./kernel/clock.ts";
import type { Clock } from "./kernel/clock.ts";
import { openLog } from "./kernel/log.ts";
import type { Secret } from "./kernel/secret.ts";
import { currentUser } from "./kernel/current-user.ts";
import { issueAdminKey } from "./keys/issue.ts";
import { initDataDirectory } from "./store/directory/data-directory.ts";
import { isInitialized } from "./store/disk/data-paths.ts";
import { openLedgerReader } from "./store/search/ledger-reader.ts";
import { schemaVersionOf } from "./store/state/upgrade.ts";
import { VERSION } from "./version.ts";

export { isInitialized };
export { PRACTICE_ENVIRONMENT } from "./compose/practice.ts";
export { PRACTICE_MODEL } from "./practice/practice-answers.ts";
export type { Gateway };

export interface Initialized {
  readonly adminKey: Secret;
  readonly dataDirectory: string;
  readonly environment: string;
  /** Takes everything away again: for who cannot show the key or start. */
  readonly undo: () => void;
}

/** Makes the data directory, a first environment in front of a model server (Ollama's usual address unless told), and the recovery admin key. */
export async function initialize(settings: Settings, upstreamUrl: string = DEFAULT_UPSTREAM_URL): Promise<Initialized> {
  const wasThere = existsSync(settings.dataDirectory);
  const undo = (): void => removeFresh(settings.dataDirectory, wasThere);
  initDataDirectory(settings.dataDirectory, systemClock, settings.keyEncryptionKey);
  let core: Core | undefined;
  try {
    core = await openCore(settings, systemClock, openLog(settings.logLevel));
    const at = systemClock.now();
    const actor = `os:${currentUser()}`;
    const environment = { ...defaultEnvironment, upstreams: [{ id: "u1", url: upstreamUrl }] };
    core.peppers.create(SYSTEM_REALM);
    core.peppers.create(defaultEnvironment.name);
    const issued = issueAdminKey(
      { name: "recovery", right: everything, createdAt: at, createdBy: actor, expiresAt: null },
      core.peppers,
    );
    const { changes } = core;
    await changes.inTurn(() =>
      changes.change({
        operations: [
          { op: "environment.put", environment },
          { op: "key.insert", key: issued.record },
        ],
        events: [
          { type: "gateway.initialized", at, environment: SYSTEM_REALM, actor, fields: { version: VERSION } },
          {
            type: "admin_key.issued",
            at,
            environment: SYSTEM_REALM,
            actor,
            fields: { key: issued.record.id, name: "recovery" },
          },
        ],
      }),
    );
    await core.close();
    return { adminKey: issued.text, dataDirectory: settings.dataDirectory, environment: defaultEnvironment.name, undo };
  } catch (failure) {
    await core?.close().catch(() => {});
    undo();
    throw failure;
  }
}

/** Of a directory that was made a moment ago and that nobody has used. One that was there before stays, empty as it was. */
function removeFresh(directory: string, wasThere: boolean): void {
  if (!wasThere) return rmSync(directory, { recursive: true, force: true });
  for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true, force: true });
}

/** Verifies the ledger of a directory, beside a running server or without one. */
export function verifyDirectory(dataDirectory: string): Promise<AuditVerdict> {
  if (!isInitialized(dataDirectory)) throw new Problem("data_missing", dataDirectory);
  return openLedgerReader(dataDirectory).verify();
}

/** Upgrades the database of a directory that no server holds. Both versions are the same where there was nothing to do. */
export async function upgradeDirectory(settings: Settings): Promise<{ from: number; to: number }> {
  if (!isInitialized(settings.dataDirectory)) throw new Problem("data_missing", settings.dataDirectory);
  const from = schemaVersionOf(settings.dataDirectory);
  const core = await openCore(settings, systemClock, openLog(settings.logLevel), { upgrades: true });
  await core.close();
  return { from, to: schemaVersionOf(settings.dataDirectory) };
}

/** Administration without listeners, as the operating-system user; `conflict` while a server holds the directory. */
export async function openAdministration(settings: Settings): Promise<Administration> {
  const log = openLog(settings.logLevel);
  const [core, { joinAdministration }] = await Promise.all([
    openCore(settings, systemClock, log),
    import("./compose/administration.ts"),
  ]);
  return joinAdministration(settings, core, log);
}

export interface GatewayOptions {
  /** Runs the practice server and points the environment `practice` at it. */
  readonly withPractice?: PracticeChoice;
  /** Rehearses requests right after the start, so that the first real ones are as quick as later ones; no when left out. */
  readonly rehearses?: boolean;
  /** The system's unless a test brings its own. */
  readonly clock?: Clock;
}

/** Resolves when it listens: with policy, keys and ledger as they are on disk, or not at all. */
export async function openGateway(
  settings: Settings,
  { withPractice = false, rehearses = false, clock = systemClock }: GatewayOptions = {},
): Promise<Gateway> {
  const log = openLog(settings.logLevel);
  const [core, { joinGateway }] = await Promise.all([
    openCore(settings, clock, log, { upgrades: true }),
    import("./compose/gateway.ts"),
  ]);
  return joinGateway({ settings, core, clock, log, withPractice, rehearses });
}
