/**
 * What every way of running needs: the store under its lock, the keys, the present snapshot, and the one road for changes:
 * commit, swap the snapshot, forget changed keys, tell who must decide again. Changes run one after another.
 */
import { join } from "node:path";
import { PermissionUses } from "../access/permission-uses.ts";
import { lostRight } from "../access/lost-right.ts";
import { isDisabledIn } from "../access/holding.ts";
import type { Agents } from "../access/policy.ts";
import { compileSnapshot } from "../access/snapshot.ts";
import type { Snapshot } from "../access/snapshot.ts";
import { takesAway } from "../access/taking-away.ts";
import { networkPrefix } from "../kernel/network-prefix.ts";
import type { LedgerEvent } from "../audit/event.ts";
import type { Change, Operation } from "../audit/change.ts";
import type { Settings } from "../config/settings.ts";
import type { Clock } from "../kernel/clock.ts";
import { causeOf } from "../kernel/log.ts";
import type { Log } from "../kernel/log.ts";
import { eachKey } from "../admin/each-key.ts";
import type { AdminPorts } from "../admin/ports.ts";
import { Enrolment } from "../identity/local/enrolment.ts";
import { LocalLogins } from "../identity/local/local-logins.ts";
import { HashThread, PasswordHasher } from "../identity/local/password-hasher.ts";
import { LocalSuspension } from "../identity/local/suspension.ts";
import { Reconciler } from "../identity/reconciler.ts";
import type { ReconcilerPorts } from "../identity/reconciler.ts";
import { KeyDirectory } from "../keys/directory.ts";
import { NetworkList } from "../kernel/network-list.ts";
import { FirstNetworks } from "../keys/first-networks.ts";
import { ClockAgreement } from "../kernel/clock-agreement.ts";
import { KeyLifecycle } from "../keys/lifecycle.ts";
import type { LifecyclePorts } from "../keys/lifecycle.ts";
import { Restrictions } from "../keys/restriction.ts";
import { OwnKeys } from "../keys/own-keys.ts";
import { OllamaSignerIndex } from "../keys/ollama-signer-index.ts";
import { TicketDesk } from "../keys/ticket-desk.ts";
import { RevokedTokens } from "../tokens/revoked-tokens.ts";
import { TokenKeys } from "../tokens/token-keys.ts";
import { UseRecord } from "../keys/use-record.ts";
import { AuditLink } from "../store/audit-link.ts";
import { checkDataDirectory } from "../store/data-directory.ts";
import { openIndexKey } from "../store/index-key.ts";
import { lockDataDirectory } from "../store/lock.ts";
import type { DataKeys } from "../store/data-keys.ts";
import { dataPaths } from "../store/data-paths.ts";
import { IncidentFiles } from "../store/incident-files.ts";
import { openSealer } from "../store/open-sealer.ts";
import { openStore } from "../store/open-store.ts";
import { PepperFiles } from "../store/pepper-files.ts";
import type { Store } from "../store/ports.ts";
import { refuseOlderDirectory } from "../store/upgrade.ts";
import { rekeyUnderWay } from "../store/reseal.ts";
import { Damage, isRecorded } from "./damage.ts";
import { openQuarantine } from "./quarantine.ts";

export interface Core {
  readonly clock: Clock;
  readonly store: Store;
  readonly peppers: PepperFiles;
  /** What must be read back is sealed by this. */
  readonly sealer: DataKeys;
  readonly keys: KeyDirectory;
  readonly restrictions: Restrictions;
  readonly uses: UseRecord;
  readonly permissionUses: PermissionUses;
  readonly lifecycle: KeyLifecycle;
  readonly ownKeys: OwnKeys;
  readonly tickets: TicketDesk;
  readonly audit: AuditLink;
  readonly snapshot: () => Snapshot;
  readonly changes: AdminPorts["changes"];
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
  /** Who keeps log-ins says how they end; until then there are none. */
  onEndSessions(end: ReconcilerPorts["endSessions"]): void;
  /** Called after each swap, before the change is acknowledged. */
  onSwap(then: (snapshot: Snapshot) => void): void;
  /** Called with the events of each change that is on disk. */
  onEvents(then: (events: readonly LedgerEvent[]) => void): void;
  close(): Promise<void>;
}

export interface CoreOptions {
  /** An older database is upgraded; else it is refused (`schema_older`). */
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
    const audit = new AuditLink(directory, openIndexKey(directory, sealer));
    const parts = { store, sealer, peppers: new PepperFiles(directory, sealer), audit };
    const fault = (cause: unknown): void => log.error({ cause: causeOf(cause) }, "the life of a key could not go on");
    try {
      const quarantine = await openQuarantine(directory, store, clock);
      const incidents = new IncidentFiles(dataPaths(directory).incidents);
      const core = joinCore({ ...parts, damage, quarantine, incidents, agents: agentsOf(settings), clock, fault }, () =>
        lock.release(),
      );
      const recordOnce = async (event: LedgerEvent): Promise<void> => {
        if (await isRecorded(core.audit, event)) return;
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
      await store.close();
      throw cause;
    }
  } catch (cause) {
    lock.release();
    throw cause;
  }
}

/** Rows that are not the gateway's give rights that nobody granted: it ends as on a signal, and a start says why. */
function stopServing(log: Log, message: string): void {
  log.error(message);
  process.exitCode = 3;
  process.kill(process.pid, "SIGTERM");
}

type CoreParts = Pick<Core, "store" | "sealer" | "peppers" | "audit" | "damage" | "quarantine" | "incidents"> &
  Pick<LifecyclePorts, "clock" | "fault"> & { readonly agents: Agents };

function joinCore(
  { store, sealer, peppers, audit, damage, quarantine, incidents, agents, clock, fault }: CoreParts,
  release: () => void,
): Core {
  const restrictions = new Restrictions(store.reader.restrictions());
  const keys = new KeyDirectory(store.reader, peppers, (record) => restrictions.over(record));
  const ollamaSigners = new OllamaSignerIndex((visit) => store.reader.eachOllamaSigner(visit));
  const listeners: ((snapshot: Snapshot) => void)[] = [];
  let snapshot = compileSnapshot(store.reader.policy(), agents);
  const hearers: ((events: readonly LedgerEvent[]) => void)[] = [];
  const told = ({ events }: Change): void => hearers.forEach((hear) => hear(events));
  const localLogins = new LocalLogins({ snapshot: () => snapshot, read: () => store.reader.localLogins() });
  let turn: Promise<unknown> = Promise.resolve();

  async function change(wanted: Change): Promise<{ readonly epoch: number }> {
    const { principals } = snapshot;
    const keyOf = keys.find.bind(keys);
    const isNarrowing = takesAway(wanted.operations, { principals, keyOf });
    const done = await store.change({ ...wanted, isNarrowing });
    if (wanted.operations.length === 0) {
      told(wanted);
      return done;
    }
    for (const operation of wanted.operations) {
      if (operation.op === "localLogin.put" || operation.op === "localLogin.remove") localLogins.changed();
      if (operation.op === "restriction.remove") {
        const gone = restrictions.all().find(({ id }) => id === operation.id);
        if (gone) {
          restrictions.remove(gone);
          keys.changed(gone.environment, gone.key);
        }
      }
      if (operation.op === "restriction.put") {
        const { restriction } = operation;
        restrictions.put(restriction);
        keys.changed(restriction.environment, restriction.key);
      }
      if (operation.op === "key.insert") keys.changed(operation.key.environment, operation.key.id);
      if (operation.op === "key.factors")
        ollamaSigners.changed(operation.environment, operation.id, operation.factors.signers);
      if (operation.op === "key.state" && operation.state === "revoked")
        ollamaSigners.changed(operation.environment, operation.id, []);
      if (
        operation.op === "key.state" ||
        operation.op === "key.life" ||
        operation.op === "key.factors" ||
        operation.op === "key.admin"
      )
        keys.changed(operation.environment, operation.id);
    }
    snapshot = compileSnapshot(store.reader.policy(), agents);
    for (const listener of listeners) listener(snapshot);
    told(wanted);
    if (wanted.operations.some(({ op }) => GIVING.has(op))) suspension.look();
    return done;
  }

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = turn.then(work, work);
    turn = mine.catch(() => undefined);
    return mine;
  }

  const uses = new UseRecord({
    keyUses: (environment, id) => store.reader.keyUses(environment, id),
    noteUses: (noted) => store.noteUses(noted),
  });
  const clocks = new ClockAgreement(clock, store.headAt);
  const lifecycle = new KeyLifecycle({
    isClockAgreed: () => clocks.isReached(),
    clock,
    keys,
    peppers,
    uses,
    changes: { change, inTurn },
    life: (environment) => snapshot.environments.get(environment),
    hasOwner: (id) => snapshot.principals.get(id)?.isDisabled === false,
    listKeys: (filter) => store.reader.keys(filter),
    networkOf: networkPrefix,
    fault,
  });
  const ownKeys = new OwnKeys({
    clock,
    keys,
    uses,
    life: (environment) => snapshot.environments.get(environment),
    hasOwner: (id, environment) => {
      const owner = snapshot.principals.get(id);
      return owner !== undefined && !isDisabledIn(owner, environment);
    },
    lifecycle,
    listKeys: (filter) => store.reader.keys(filter),
  });
  const tickets = new TicketDesk({
    clock,
    peppers,
    keys,
    ticket: (environment, id) => store.reader.ticket(environment, id),
    sealedTickets: () => store.reader.sealedTickets(),
    changes: { change, inTurn },
    isInside: (networks, address) => new NetworkList(networks).has(address),
  });
  let endSessions: ReconcilerPorts["endSessions"] = () => Promise.resolve([]);
  const reconciler = new Reconciler({
    clock,
    snapshot: () => snapshot,
    keysOf: (owner) => eachKey({ listKeys: (filter) => store.reader.keys(filter) }, { owner }),
    lost: lostRight,
    changes: { change, inTurn },
    endSessions: (which) => endSessions(which),
  });
  const hashThread = new HashThread();
  const passwordHasher = new PasswordHasher((password, derivation) => hashThread.derive(password, derivation));
  const enrolment = new Enrolment({
    clock,
    logins: localLogins,
    sealer,
    hasher: passwordHasher,
    changes: { change, inTurn },
    endSessions: (which) => endSessions(which),
  });
  const suspension = new LocalSuspension({
    clock,
    snapshot: () => snapshot,
    logins: localLogins,
    changes: { change, inTurn },
    endSessions: (which) => endSessions(which),
    fault,
  });
  suspension.look();
  keys.onOldPepper((key, secret, hashed) => lifecycle.rehash(key, secret, hashed));
  keys.onReuse((key, secret) => lifecycle.reused(key, secret));

  return {
    clock,
    store,
    peppers,
    sealer,
    keys,
    restrictions,
    uses,
    permissionUses: new PermissionUses(clock.now()),
    lifecycle,
    ownKeys,
    tokenKeys: new TokenKeys({ clock, sealer, changes: { change, inTurn }, read: () => store.reader.tokenKeys() }),
    revokedTokens: new RevokedTokens(clock, store.reader.revokedTokens()),
    ollamaSigners,
    firstNetworks: new FirstNetworks({ clock, keys, changes: { change, inTurn }, fault }),
    tickets,
    audit,
    snapshot: () => snapshot,
    changes: { change, inTurn },
    damage,
    quarantine,
    incidents,
    reconciler,
    localLogins,
    enrolment,
    passwordHasher,
    onEndSessions: (end) => {
      endSessions = end;
    },
    onSwap: (then) => listeners.push(then),
    onEvents: (then) => hearers.push(then),
    async close() {
      await turn;
      await hashThread.close();
      uses.flush();
      await audit.close();
      await store.close();
      release();
    },
  };
}

/** Changes after which somebody may hold more than before. */
const GIVING: ReadonlySet<Operation["op"]> = new Set(["principal.put", "assignment.put", "role.put", "localLogin.put"]);

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
