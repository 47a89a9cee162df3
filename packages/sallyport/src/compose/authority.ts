/** The authority of a gateway that shares its changes with others through PostgreSQL. A single machine loads none of it. */
import { sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { Problem } from "@sallyport/protocol";
import type { ChangeWriter, Feed } from "../changes/feed.ts";
import type { Committed } from "../changes/image.ts";
import type { EntrySigner } from "../cluster/authority/epoch-entry.ts";
import type { Settings } from "../config/settings.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { Sealer } from "../keys/sealer.ts";
import { dataPaths } from "../store/disk/data-paths.ts";
import type { Store } from "../store/ports.ts";
import { isSignatureGenuine, openSigningKey, readLedgerPublicKey } from "../store/secrets/signing-key.ts";
import { sharedPeppers } from "../store/secrets/pepper-files.ts";
import type { FirstPepper, PepperFiles } from "../store/secrets/pepper-files.ts";
import { readNodeId } from "../store/state/node-id.ts";
import { readReplicaPlace } from "../store/state/replica-place.ts";
import { VERSION } from "../version.ts";

export interface RunningAuthority extends ChangeWriter {
  /** Whether this gateway makes the changes, and not another one. */
  readonly isActive: boolean;
  /** Where the administration of this gateway is, for those that are sent to it. */
  announce(url: string): void;
  attach(feed: Pick<Feed, "inTurn" | "follow" | "prepare">): void;
  /** Compares replica and log, catches up, and begins to look after the right to make changes. Throws why it cannot. */
  begin(): Promise<void>;
  close(): Promise<void>;
  /** Every gateway of the deployment makes the same pepper of a new environment. */
  readonly firstPepper: FirstPepper;
}

export interface AuthorityOrder {
  readonly settings: Pick<Settings, "database" | "dataDirectory">;
  readonly store: Store;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly log: Log;
  /** Serves nothing any more, and says why. */
  readonly stop: (why: string) => void;
}

/** How often a standby reads the log, ms. */
const FOLLOW_MS = 250;
/** The right is renewed, and asked for, at every fourth of those. */
const RENEW_EVERY = 4;

/** The signing key of the audit log, which every copy of the data directory has. */
export function entrySigner(directory: string, privateKey: KeyObject): EntrySigner {
  const publicKey = readLedgerPublicKey(dataPaths(directory).publicKey);
  return {
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString("base64"),
    isGenuine: (text, signature) => isSignatureGenuine(publicKey, text, signature),
  };
}

/** Keys of an environment that another gateway made a pepper for are verified here, too. */
export function makeSharedPeppers({ images }: Pick<Committed, "images">, peppers: PepperFiles): void {
  for (const image of images)
    if (image.of === "key" && peppers.current(image.environment) === undefined) peppers.create(image.environment);
}

/** As `makeAuthority()`. Closes the store if it throws. */
export async function openAuthority(order: AuthorityOrder): Promise<RunningAuthority | null> {
  try {
    return await makeAuthority(order);
  } catch (cause) {
    await order.store.close();
    throw cause;
  }
}

/**
 * Null on a single machine. Throws `log_required` for a replica without the address of its log, and `log_missing` for a
 * directory whose changes are in no log yet: a setting is kept whole or not at all.
 */
async function makeAuthority(order: AuthorityOrder): Promise<RunningAuthority | null> {
  const { settings, store, sealer, clock, log, stop } = order;
  const directory = settings.dataDirectory;
  const place = readReplicaPlace(directory);
  const address = settings.database ?? null;
  if (address === null && place === null) return null;
  if (address === null) throw new Problem("log_required");
  if (place === null) throw new Problem("log_missing", "this data directory was not moved to a database yet");
  const [{ Authority }, { PostgresEpochLog }] = await Promise.all([
    import("../cluster/authority/authority.ts"),
    import("../cluster/postgres/postgres-epoch-log.ts"),
  ]);
  const signingKey = openSigningKey(dataPaths(directory), sealer);
  const authority = new Authority({
    log: new PostgresEpochLog(address),
    signer: entrySigner(directory, signingKey),
    replica: {
      change: (change) => store.change(change),
      judge: (change) => store.replica.judge(change),
      apply: (change, position, origin) => store.replica.apply(change, position, origin),
    },
    deployment: place.deployment,
    place,
    author: readNodeId(directory),
    program: `sallyport/${VERSION}`,
    clock,
    onNotice: (text) => log.warn(text),
    onUntrusted: ({ message }) => stop(`the database of changes cannot be followed: ${message}`),
  });
  let looks = 0;
  let isLooking = false;
  const look = (): void => {
    if (isLooking) return;
    isLooking = true;
    void authority.look({ isRenewalDue: looks++ % RENEW_EVERY === 0 }).finally(() => (isLooking = false));
  };
  let timer: NodeJS.Timeout | undefined;
  return {
    firstPepper: sharedPeppers(signingKey, place.deployment),
    get isActive() {
      return authority.isActive;
    },
    announce: (url) => authority.announce(url),
    attach: (feed) => authority.attach(feed),
    change: (change) => authority.change(change),
    async begin() {
      await authority.begin();
      timer = setInterval(look, FOLLOW_MS);
    },
    async close() {
      clearInterval(timer);
      await authority.close();
    },
  };
}
