/**
 * What every way of running needs: the store under its lock, the keys, the present snapshot, and the one road for changes:
 * commit, swap the snapshot, forget changed keys, tell who must decide again. Changes run one after another.
 */
import { join } from "node:path";
import { compileSnapshot } from "../access/snapshot.ts";
import type { Snapshot } from "../access/snapshot.ts";
import type { Change } from "../audit/change.ts";
import type { Settings } from "../config/settings.ts";
import type { Clock } from "../kernel/clock.ts";
import { causeOf } from "../kernel/log.ts";
import type { Log } from "../kernel/log.ts";
import type { AdminPorts } from "../admin/ports.ts";
import { KeyDirectory } from "../keys/directory.ts";
import { KeyLifecycle } from "../keys/lifecycle.ts";
import type { LifecyclePorts } from "../keys/lifecycle.ts";
import { UseRecord } from "../keys/use-record.ts";
import { AuditLink } from "../store/audit-link.ts";
import { checkDataDirectory } from "../store/data-directory.ts";
import { lockDataDirectory } from "../store/lock.ts";
import { openStore } from "../store/open-store.ts";
import { PepperFiles } from "../store/pepper-files.ts";
import type { Store } from "../store/ports.ts";

export interface Core {
  readonly store: Store;
  readonly peppers: PepperFiles;
  readonly keys: KeyDirectory;
  readonly uses: UseRecord;
  readonly lifecycle: KeyLifecycle;
  readonly audit: AuditLink;
  readonly snapshot: () => Snapshot;
  readonly changes: AdminPorts["changes"];
  /** Called after each swap, before the change is acknowledged. */
  onSwap(then: (snapshot: Snapshot) => void): void;
  close(): Promise<void>;
}

export async function openCore(settings: Settings, clock: Clock, log: Log): Promise<Core> {
  const directory = settings.dataDirectory;
  checkDataDirectory(directory);
  const lock = lockDataDirectory(directory);
  try {
    const store = await openStore({
      directory,
      clock,
      ledger: settings.ledger,
      onTrouble: (text) => log.error(text),
      onNotice: (text) => log.warn(text),
    });
    const fault = (cause: unknown): void => log.error({ cause: causeOf(cause) }, "the life of a key could not go on");
    const parts = { store, peppers: new PepperFiles(directory), audit: new AuditLink(directory), clock, fault };
    return joinCore(parts, () => lock.release());
  } catch (cause) {
    lock.release();
    throw cause;
  }
}

type CoreParts = Pick<Core, "store" | "peppers" | "audit"> & Pick<LifecyclePorts, "clock" | "fault">;

function joinCore({ store, peppers, audit, clock, fault }: CoreParts, release: () => void): Core {
  const keys = new KeyDirectory(store.reader, peppers);
  const listeners: ((snapshot: Snapshot) => void)[] = [];
  let snapshot = compileSnapshot(store.reader.policy());
  let turn: Promise<unknown> = Promise.resolve();

  async function change(wanted: Change): Promise<{ readonly epoch: number }> {
    const done = await store.change(wanted);
    if (wanted.operations.length === 0) return done;
    for (const operation of wanted.operations) {
      if (operation.op === "key.insert") keys.changed(operation.key.environment, operation.key.id);
      if (operation.op === "key.state" || operation.op === "key.life")
        keys.changed(operation.environment, operation.id);
    }
    snapshot = compileSnapshot(store.reader.policy());
    for (const listener of listeners) listener(snapshot);
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
  const lifecycle = new KeyLifecycle({
    clock,
    keys,
    peppers,
    uses,
    changes: { change, inTurn },
    life: (environment) => snapshot.environments.get(environment),
    hasOwner: (id) => snapshot.principals.get(id)?.isDisabled === false,
    listKeys: (filter) => store.reader.keys(filter),
    fault,
  });
  keys.onReuse((key, secret) => lifecycle.reused(key, secret));

  return {
    store,
    peppers,
    keys,
    uses,
    lifecycle,
    audit,
    snapshot: () => snapshot,
    changes: { change, inTurn },
    onSwap: (then) => listeners.push(then),
    async close() {
      await turn;
      uses.flush();
      await audit.close();
      await store.close();
      release();
    },
  };
}

/** The Unix socket on which the operating-system user administers. */
export function socketPathOf(settings: Settings): string {
  return join(settings.dataDirectory, "admin.sock");
}
