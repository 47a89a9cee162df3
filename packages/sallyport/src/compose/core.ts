/**
 * What every way of running needs: the store under its lock, the views of it that memory holds, and the feed of changes
 * that keeps them up.
 */
import { join } from "node:path";
import { SYSTEM_REALM } from "@sallyport/protocol";
import { PermissionUses } from "../access/permission-uses.ts";
import { lostRight } from "../access/lost-right.ts";
import { isDisabledIn } from "../access/holding.ts";
import type { Agents } from "../access/policy.ts";
import type { Snapshot } from "../access/snapshot.ts";
import { SnapshotView } from "../access/snapshot-view.ts";
import { takesAway } from "../access/taking-away.ts";
import { networkPrefix } from "../kernel/network-prefix.ts";
import type { LedgerEvent } from "../audit/event.ts";
import type { Changes } from "../changes/change.ts";
import { Feed } from "../changes/feed.ts";
import type { Committed } from "../changes/image.ts";
import type { Settings } from "../config/settings.ts";
import type { Clock } from "../kernel/clock.ts";
import { causeOf } from "../kernel/log.ts";
import type { Log } from "../kernel/log.ts";
import { eachKey } from "../admin/each-key.ts";
import type { AdminPorts } from "../admin/ports.ts";
import { makeEndSessions } from "../identity/end-sessions.ts";
import type { Enrolment } from "../identity/local/enrolment.ts";
import { LocalLogins } from "../identity/local/local-logins.ts";
import type { PasswordHasher } from "../identity/local/password-hasher.ts";
import { Reconciler } from "../identity/reconciler.ts";
import type { KeyRecord } from "../keys/key.ts";
import { KeyDirectory } from "../keys/directory.ts";
import { KeyIndex } from "../keys/search/key-index.ts";
import { NetworkList } from "../kernel/network-list.ts";
import { FirstNetworks } from "../keys/first-networks.ts";
import { ClockAgreement } from "../kernel/clock-agreement.ts";
import { KeyLifecycle } from "../keys/lifecycle.ts";
import type { LifecyclePorts } from "../keys/lifecycle.ts";
import { FindingRecords } from "../access/posture/finding-records.ts";
import { Rightsizings } from "../access/rightsizing/rightsizings.ts";
import { Restrictions } from "../keys/restrictions.ts";
import { ReviewRecords } from "../reviews/review-records.ts";
import { OwnKeys } from "../keys/own-keys.ts";
import { OllamaSignerIndex } from "../keys/ollama-signer-index.ts";
import { TicketDesk } from "../keys/ticket-desk.ts";
import { RevokedTokens } from "../tokens/revoked-tokens.ts";
import { TokenKeys } from "../tokens/token-keys.ts";
import { UseRecord } from "../keys/use-record.ts";
import { AuditLink } from "../store/search/audit-link.ts";
import { checkDataDirectory } from "../store/directory/data-directory.ts";
import { openIndexKey } from "../store/secrets/signing-key.ts";
import { lockDataDirectory } from "../store/disk/lock.ts";
import type { DataKeys } from "../store/secrets/data-keys.ts";
import { dataPaths } from "../store/disk/data-paths.ts";
import { IncidentFiles } from "../store/directory/incident-files.ts";
import { openSealer } from "../store/secrets/open-sealer.ts";
import { openStore } from "../store/directory/open-store.ts";
import { UpstreamFile } from "../store/secrets/upstream-file.ts";
import { PepperFiles } from "../store/secrets/pepper-files.ts";
import type { Store } from "../store/ports.ts";
import type { UsageReports } from "../usage/usage-report.ts";
import { refuseOlderDirectory } from "../store/state/upgrade.ts";
import { rekeyUnderWay } from "../store/secrets/reseal.ts";
import { Damage, isDamageRecorded } from "../store/state/damage.ts";
import { makeSharedPeppers, openAuthority } from "./authority.ts";
import type { RunningAuthority } from "./authority.ts";
import { openLocalAccounts } from "./local-accounts.ts";
import { openQuarantine } from "./quarantine.ts";
import { stopServing } from "./stop-serving.ts";
import { makeUsageReports } from "./usage.ts";

export interface Core {
  readonly clock: Clock;
  readonly store: Store;
  /** Null on a single machine. */
  readonly authority: RunningAuthority | null;
  readonly peppers: PepperFiles;
  readonly upstreamStates: Pick<UpstreamFile, "of" | "put" | "onChange">;
  /** Encrypts everything that must be read back. */
  readonly sealer: DataKeys;
  readonly keys: KeyDirectory;
  readonly keyIndex: KeyIndex;
  readonly restrictions: Restrictions;
  readonly findings: FindingRecords;
  readonly rightsizings: Rightsizings;
  readonly reviews: ReviewRecords;
  /** Whether the wall clock can be believed for what cannot be undone. */
  readonly isClockAgreed: () => boolean;
  readonly uses: UseRecord;
  readonly permissionUses: PermissionUses;
  readonly usage: UsageReports;
  readonly lifecycle: KeyLifecycle;
  readonly ownKeys: OwnKeys;
  readonly tickets: TicketDesk;
  readonly audit: AuditLink;
  readonly snapshot: () => Snapshot;
  readonly changes: Changes;
  readonly tokenKeys: TokenKeys;
  readonly revokedTokens: RevokedTokens;
  readonly ollamaSigners: OllamaSignerIndex;
  readonly firstNetworks: FirstNetworks;
  readonly damage: Damage;
  readonly quarantine: AdminPorts["quarantine"];
  readonly incidents: AdminPorts["incidents"];
  readonly reconciler: Reconciler;
  readonly localLogins: LocalLogins;
  readonly enrolment: Enrolment;
  readonly passwordHasher: PasswordHasher;
  /** How often a view was rebuilt since the start. */
  readonly rebuiltViews: () => number;
  /** Called when a change is shown by every view, before it is acknowledged. */
  onSwap(then: (snapshot: Snapshot) => void): void;
  /** Called with each change that is on disk, when every view shows it. */
  onCommitted(then: (committed: Committed) => void): void;
  /** Called with the events of each change that is on disk. */
  onEvents(then: (events: readonly LedgerEvent[]) => void): void;
  close(): Promise<void>;
}

export interface CoreOptions {
  /** Upgrades an older database; otherwise it is rejected (`schema_older`). */
  readonly upgrades?: boolean;
}

export async function openCore(settings: Settings, clock: Clock, log: Log, options: CoreOptions = {}): Promise<Core> {
  const directory = settings.dataDirectory;
  checkDataDirectory(directory);
  const lock = lockDataDirectory(directory);
  try {
    const onNotice = (text: string): void => log.warn(text);
    // Before the secrets of an older version are encrypted, which is part of the upgrade.
    if (!options.upgrades) refuseOlderDirectory(directory);
    const sealer = openSealer(directory, { source: settings.keyEncryptionKey, onNotice });
    if (rekeyUnderWay(dataPaths(directory)))
      onNotice("a change of the key-encryption key was begun and is not finished: run 'sallyport rekey --kek' again");
    // The store is read before there is a way to record what is found in it.
    const early: LedgerEvent[] = [];
    let record = (event: LedgerEvent): void => void early.push(event);
    const damage = new Damage({ clock, trouble: (text) => log.error(text), record: (event) => record(event) });
    const store = await openStore({
      directory,
      clock,
      sealer,
      ledger: settings.ledger,
      onTrouble: (text) => log.error(text),
      onDamage: (row) => damage.met(row),
      onStateDiffers: ({ message }) => stopServing(log, message),
      onNotice,
      upgrades: options.upgrades ?? false,
    });
    const stop = (why: string): void => stopServing(log, why);
    const authority = await openAuthority({ settings, store, sealer, clock, log, stop });
    const audit = new AuditLink(directory, openIndexKey(directory, sealer));
    const upstreamStates = new UpstreamFile(dataPaths(directory), sealer);
    const parts = {
      store,
      sealer,
      peppers: new PepperFiles(directory, sealer, authority?.firstPepper),
      upstreamStates,
      audit,
    };
    const onFault = (what: string, cause: unknown): void => log.error({ cause: causeOf(cause) }, what);
    const fault = (cause: unknown): void => log.error({ cause: causeOf(cause) }, "the life of a key could not go on");
    try {
      const quarantine = await openQuarantine(directory, store, clock);
      const incidents = new IncidentFiles(dataPaths(directory).incidents);
      const core = joinCore(
        { ...parts, authority, damage, quarantine, incidents, agents: agentsOf(settings), clock, fault, onFault, stop },
        () => lock.release(),
      );
      await authority?.begin();
      const recordOnce = async (event: LedgerEvent): Promise<void> => {
        if (await isDamageRecorded(core.audit, event)) return;
        await core.changes.inTurn(() => core.changes.change({ operations: [], events: [event] }));
      };
      let recording: Promise<unknown> = Promise.resolve();
      record = (event) => void (recording = Promise.all([recording, recordOnce(event).catch(fault)]));
      early.forEach(record);
      const close = async (): Promise<void> => {
        await recording;
        await core.close();
      };
      return { ...core, close };
    } catch (cause) {
      await authority?.close();
      await store.close();
      throw cause;
    }
  } catch (cause) {
    lock.release();
    throw cause;
  }
}

type CoreParts = Pick<
  Core,
  "store" | "authority" | "sealer" | "peppers" | "audit" | "damage" | "quarantine" | "incidents"
> & {
  readonly upstreamStates: UpstreamFile;
} & Pick<LifecyclePorts, "clock" | "fault"> & {
    readonly agents: Agents;
    /** Reports failures of applying a change. */
    readonly onFault: (what: string, cause: unknown) => void;
    /** Serves nothing any more, and says why. */
    readonly stop: (why: string) => void;
  };

function joinCore(
  {
    store,
    authority,
    sealer,
    peppers,
    upstreamStates,
    audit,
    damage,
    quarantine,
    incidents,
    agents,
    clock,
    fault,
    onFault,
    stop,
  }: CoreParts,
  release: () => void,
): Core {
  const { reader } = store;
  const restrictions = new Restrictions(() => reader.restrictions());
  const findings = new FindingRecords(() => reader.findings());
  const rightsizings = new Rightsizings(() => reader.rightsizings());
  const reviews = new ReviewRecords(() => reader.reviews());
  const keys = new KeyDirectory(reader, peppers, (record) => rightsizings.over(restrictions.over(record)));
  const ollamaSigners = new OllamaSignerIndex((visit) => reader.eachOllamaSigner(visit));
  const policy = new SnapshotView(() => reader.policy(), agents);
  const snapshot = (): Snapshot => policy.present;
  const keyIndex = new KeyIndex({
    keys,
    briefs: reader.keyBriefs,
    nameOf: (principal) => snapshot().principals.get(principal)?.name,
    // Admin keys have a separate list.
    isHidden: (environment) => environment === SYSTEM_REALM,
  });
  const localLogins = new LocalLogins({ snapshot, read: () => reader.localLogins() });
  const revokedTokens = new RevokedTokens(clock, () => reader.revokedTokens());
  const changes: Changes = {
    inTurn: (work) => feed.inTurn(work),
    change: (wanted) => feed.change(wanted),
  };
  const tokenKeys = new TokenKeys({ clock, sealer, changes, read: () => reader.tokenKeys() });
  const feed = new Feed({
    writer: authority ?? store,
    views: [
      restrictions,
      rightsizings,
      findings,
      reviews,
      keys,
      ollamaSigners,
      tokenKeys,
      revokedTokens,
      localLogins,
      policy,
      keyIndex,
    ],
    isNarrowing: ({ operations }) =>
      takesAway(operations, {
        principals: policy.present.principals,
        keyOf: (environment, id) => keys.find(environment, id),
        rightsizingOf: (environment, key) => rightsizings.get(environment, key),
      }),
    onFault,
    onStale: (view, cause) => stop(`the view ${view} cannot be rebuilt: ${causeOf(cause).message}`),
  });

  const uses = new UseRecord({
    keyUses: (environment, id) => reader.keyUses(environment, id),
    noteUses: (noted) => {
      store.noteUses(noted);
      keyIndex.noteUses(noted);
    },
  });
  const clocks = new ClockAgreement(clock, store.headAt);
  const lifecycle = new KeyLifecycle({
    isClockAgreed: () => clocks.isReached(),
    clock,
    keys,
    peppers,
    uses,
    changes,
    life: (environment) => policy.present.environments.get(environment),
    hasOwner: (id) => policy.present.principals.get(id)?.isDisabled === false,
    listKeys: (filter) => reader.keys(filter),
    networkOf: networkPrefix,
    fault,
  });
  const ownKeys = new OwnKeys({
    clock,
    keys,
    uses,
    life: (environment) => policy.present.environments.get(environment),
    hasOwner: (id, environment) => {
      const owner = policy.present.principals.get(id);
      return owner !== undefined && !isDisabledIn(owner, environment);
    },
    lifecycle,
    listKeys: (filter) => reader.keys(filter),
  });
  const tickets = new TicketDesk({
    clock,
    peppers,
    keys,
    ticket: (environment, id) => reader.ticket(environment, id),
    sealedTickets: () => reader.sealedTickets(),
    changes,
    isInside: (networks, address) => new NetworkList(networks).has(address),
  });
  const keysOf = (owner: string): Iterable<KeyRecord> =>
    eachKey({ listKeys: (filter) => reader.keys(filter) }, { owner });
  const endSessions = makeEndSessions({ clock, snapshot, keysOf, changes });
  const reconciler = new Reconciler({ clock, snapshot, keysOf, lost: lostRight, changes, endSessions });
  const { enrolment, passwordHasher, suspension, ...accounts } = openLocalAccounts({
    clock, snapshot, logins: localLogins, sealer, changes, endSessions, fault,
  }); // prettier-ignore
  feed.onCommitted((committed) => suspension.hear(committed));
  feed.onCommitted(() => {
    try {
      upstreamStates.follow(policy.present.environments);
    } catch (cause) {
      onFault("what belongs to removed model servers could not be removed", cause);
    }
  });
  keys.onOldPepper((key, secret, hashed) => lifecycle.rehash(key, secret, hashed));
  keys.onReuse((key, secret) => lifecycle.reused(key, secret));

  authority?.attach(feed);
  if (authority) feed.onCommitted((committed) => makeSharedPeppers(committed, peppers));
  return {
    clock,
    store,
    authority,
    peppers,
    upstreamStates,
    sealer,
    keys,
    keyIndex,
    restrictions,
    findings,
    rightsizings,
    reviews,
    isClockAgreed: () => clocks.isReached(),
    uses,
    permissionUses: new PermissionUses(clock.now()),
    usage: makeUsageReports({ clock, store, audit }),
    lifecycle,
    ownKeys,
    tokenKeys,
    revokedTokens,
    ollamaSigners,
    firstNetworks: new FirstNetworks({ clock, keys, changes, fault }),
    tickets,
    audit,
    snapshot,
    changes,
    damage,
    quarantine,
    incidents,
    reconciler,
    localLogins,
    enrolment,
    passwordHasher,
    rebuiltViews: () => feed.rebuilt,
    onSwap: (then) => feed.onChanged(() => then(policy.present)),
    onCommitted: (then) => feed.onCommitted(then),
    onEvents: (then) => feed.onCommitted(({ events }) => then(events)),
    async close() {
      await authority?.close();
      await feed.settled();
      await accounts.close();
      uses.flush();
      await audit.close();
      await store.close();
      release();
    },
  };
}

/** Provisioning clients that the settings name, by their provider. */
function agentsOf({ identity }: Settings): Agents {
  const named = (identity?.providers ?? []).flatMap(({ name, agent }) =>
    agent ? [[name, agent.environments] as const] : [],
  );
  return new Map(named);
}

/** The Unix socket on which the operating-system user administers. */
export function socketPathOf(settings: Settings): string {
  return join(settings.dataDirectory, "admin.sock");
}
