/**
 * `migrate`, with the server stopped: moves the changes of a single machine to a log in PostgreSQL, or back. Killed
 * anywhere, it goes on when it is called with the same words again.
 */
import { Problem, SYSTEM_REALM } from "@sallyport/protocol";
import { makeBase, mistakeOfBase } from "../cluster/authority/epoch-entry.ts";
import type { EntrySigner } from "../cluster/authority/epoch-entry.ts";
import type { EpochLog, LogState } from "../cluster/authority/epoch-log.ts";
import { PostgresEpochLog } from "../cluster/postgres/postgres-epoch-log.ts";
import type { PostgresAddress } from "../config/postgres-address.ts";
import type { Settings } from "../config/settings.ts";
import { systemClock } from "../kernel/clock.ts";
import { currentUser } from "../kernel/current-user.ts";
import { randomBase62 } from "../kernel/ids.ts";
import { openLog } from "../kernel/log.ts";
import { checkDataDirectory } from "../store/directory/data-directory.ts";
import { dataPaths } from "../store/disk/data-paths.ts";
import { lockDataDirectory } from "../store/disk/lock.ts";
import { openSealer } from "../store/secrets/open-sealer.ts";
import { openSigningKey } from "../store/secrets/signing-key.ts";
import { digestState, readReplicaPlace, writeReplicaPlace } from "../store/state/replica-place.ts";
import type { ReplicaPlace } from "../store/state/replica-place.ts";
import { refuseOlderDirectory } from "../store/state/upgrade.ts";
import { entrySigner } from "./authority.ts";
import { openCore } from "./core.ts";

export interface Migrated {
  readonly to: "postgres" | "sqlite";
  readonly deployment: string;
  readonly epoch: number;
  /** SHA-256 of all rows that give rights, as they are here, and as the log's beginning has it (to PostgreSQL). */
  readonly digest: string;
  readonly rows: number;
  /** Nothing was left to do. */
  readonly wasDone: boolean;
}

const DEPLOYMENT_LENGTH = 12;

interface Move {
  readonly directory: string;
  readonly log: EpochLog;
  readonly signer: EntrySigner;
  readonly place: ReplicaPlace | null;
  readonly write: (place: ReplicaPlace | null) => void;
}

/** Throws `log_foreign` where the database has another deployment's log. */
export async function migrateToPostgres(settings: Settings, address: PostgresAddress): Promise<Migrated> {
  const done = await withDirectory(settings, address, async (move) => {
    const state = await move.log.state();
    if (move.place) return confirm(move.place, state, move);
    const { epoch, digest, rows } = digestState(move.directory);
    if (!state) await move.log.begin(makeBase(move.signer, randomBase62(DEPLOYMENT_LENGTH), epoch, digest));
    const begun = await move.log.state();
    if (!begun) throw new Problem("log_missing");
    demandBase(begun, move.signer);
    // The beginning that a killed call made, if nothing has changed since: then it is the same state.
    if (begun.base.digest !== digest || begun.epoch !== begun.base.epoch || begun.base.epoch !== epoch)
      throw new Problem("log_foreign", "the database holds the changes of another data directory: name an empty one");
    const { deployment, head } = begun.base;
    move.write({ deployment, epoch, head });
    return { to: "postgres" as const, deployment, epoch, digest, rows, wasDone: false };
  });
  // Starts as a gateway would: what cannot be served is found now.
  await record({ ...settings, database: address }, done);
  return done;
}

/**
 * Ends the log for all gateways, and makes this one a single machine with every change that was in it. Throws
 * `authority_standby` while another gateway runs, and `conflict` where this one has not all changes yet.
 */
export async function migrateToSqlite(settings: Settings): Promise<Migrated> {
  const address = settings.database ?? null;
  if (address === null) throw new Problem("log_required", "SALLYPORT_DATABASE is not set");
  const done = await withDirectory(settings, address, async ({ directory, log, signer, place, write }) => {
    if (!place) throw new Problem("conflict", "this data directory is a single machine's already");
    const state = await log.state();
    if (!state) throw new Problem("log_missing");
    demandBase(state, signer);
    if (state.base.deployment !== place.deployment)
      throw new Problem("log_foreign", `the database holds deployment ${state.base.deployment}`);
    if (!state.isClosed) await endLog(log, place);
    else if (state.epoch !== place.epoch || state.head !== place.head)
      throw new Problem("log_foreign", "another gateway of the deployment was moved back to a single machine");
    write(null);
    const { epoch, digest, rows } = digestState(directory);
    return { to: "sqlite" as const, deployment: place.deployment, epoch, digest, rows, wasDone: false };
  });
  await record({ ...settings, database: null }, done);
  return done;
}

async function endLog(log: EpochLog, place: ReplicaPlace): Promise<void> {
  const right = await log.acquire("");
  if (!right) throw new Problem("authority_standby", "another gateway of the deployment runs: stop all of them first");
  try {
    const { epoch, head } = right.state;
    if (epoch !== place.epoch || head !== place.head)
      throw new Problem(
        "conflict",
        `the log is at epoch ${epoch} and this directory at ${place.epoch}: start this gateway once, so that it catches up`,
      );
    if (!(await log.end(right, right.state))) throw new Problem("conflict", "the log changed meanwhile: try again");
  } finally {
    await right.release();
  }
}

function confirm(place: ReplicaPlace, state: LogState | undefined, { directory, signer }: Move): Migrated {
  if (!state) throw new Problem("log_missing", "this data directory belongs to the log of another database");
  demandBase(state, signer);
  if (state.base.deployment !== place.deployment)
    throw new Problem("log_foreign", `the database holds deployment ${state.base.deployment}`);
  return { to: "postgres", deployment: place.deployment, ...digestState(directory), wasDone: true };
}

function demandBase({ base }: LogState, signer: EntrySigner): void {
  const mistake = mistakeOfBase(signer, base);
  if (mistake !== undefined) throw new Problem("log_foreign", `${mistake}: name an empty database`);
}

async function withDirectory<T>(
  settings: Settings,
  address: PostgresAddress,
  work: (move: Move) => Promise<T>,
): Promise<T> {
  const directory = settings.dataDirectory;
  checkDataDirectory(directory);
  refuseOlderDirectory(directory);
  const lock = lockDataDirectory(directory);
  const log = new PostgresEpochLog(address);
  try {
    const signingKey = openSigningKey(
      dataPaths(directory),
      openSealer(directory, { source: settings.keyEncryptionKey }),
    );
    return await work({
      directory,
      log,
      signer: entrySigner(directory, signingKey),
      place: readReplicaPlace(directory),
      write: (place) => writeReplicaPlace(directory, signingKey, place),
    });
  } finally {
    await log.close();
    lock.release();
  }
}

async function record(settings: Settings, { to, deployment, epoch, digest, wasDone }: Migrated): Promise<void> {
  const core = await openCore(settings, systemClock, openLog(settings.logLevel));
  try {
    if (wasDone) return;
    const fields = { to, deployment, epoch, digest };
    const at = systemClock.now();
    const actor = `os:${currentUser()}`;
    await core.changes.inTurn(() =>
      core.changes.change({
        operations: [],
        events: [{ type: "gateway.moved", at, environment: SYSTEM_REALM, actor, fields }],
      }),
    );
  } finally {
    await core.close();
  }
}
