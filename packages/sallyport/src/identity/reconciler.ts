/**
 * Where all statements about users arrive: they are judged against the current state in their turn, written with their
 * events in one change, and then sessions are ended. A caller that is already in a turn requests the change and writes
 * it itself.
 */
import type { Assignment, Principal } from "../access/policy.ts";
import type { Principals } from "../access/principals.ts";
import type { Snapshot } from "../access/snapshot.ts";
import type { Operation, Changes } from "../changes/change.ts";
import type { LedgerEvent } from "../audit/event.ts";
import type { Clock } from "../kernel/clock.ts";
import type { KeyRecord } from "../keys/key.ts";
import { LongWork } from "../kernel/long-work.ts";
import type { EndSessions, SessionsOf } from "./end-sessions.ts";
import { reconcile, reconcileAssignment, reconcileMany } from "./reconcile.ts";
import type { KnownPeople, Reconciled } from "./reconcile.ts";
import type { Statement } from "./statement.ts";

export interface ReconcilerPorts {
  readonly clock: Pick<Clock, "now">;
  readonly snapshot: () => Snapshot;
  readonly keysOf: KnownPeople["keysOf"];
  readonly lost: (
    snapshot: Snapshot,
    key: KeyRecord,
    change: { readonly before: Principal; readonly after: Principal; readonly gone?: string },
  ) => readonly string[];
  readonly changes: Changes;
  readonly endSessions: EndSessions;
}

export interface ReconcilerAnswer {
  /** False where it said nothing new. */
  readonly isChanged: boolean;
  readonly unknown: number;
  /** People who were stopped because it was not certain which of them was meant. */
  readonly ambiguous?: number;
}

export type Wanted = Pick<Reconciled, "operations" | "events">;

export class Reconciler {
  readonly #ports: ReconcilerPorts;

  constructor(ports: ReconcilerPorts) {
    this.#ports = ports;
  }

  /** Judges and writes in one turn. */
  hear(statements: readonly Statement[]): Promise<ReconcilerAnswer> {
    return this.#ports.changes.inTurn(async () => {
      const found = await this.judgeMany(statements);
      await this.write(found);
      return { isChanged: found.operations.length > 0, unknown: found.unknown, ambiguous: found.ambiguous };
    });
  }

  /** What the statements come to now. Call it inside the turn in which it is written. */
  judge(statements: readonly Statement[], principals?: Principals): Reconciled {
    const snapshot = this.#ports.snapshot();
    return reconcile(this.#present(snapshot, principals ?? snapshot.principals), statements);
  }

  /** The same for as many as a directory or a group has, in slices. */
  judgeMany(statements: readonly Statement[]): Promise<Reconciled> {
    const snapshot = this.#ports.snapshot();
    return reconcileMany(this.#present(snapshot, snapshot.principals), statements);
  }

  /** The same for an assignment that goes: what becomes of the keys of its holders. */
  async judgeAssignment(
    gone: Assignment,
    by: Pick<Statement, "source" | "actor" | "address" | "event">,
  ): Promise<Wanted> {
    const work = new LongWork();
    const snapshot = this.#ports.snapshot();
    const { principals } = snapshot;
    const { subject } = gone;
    const about = "group" in subject ? principals.called("group", subject.group) : [principals.get(subject.principal)];
    const holders = (await work.filter(about, (one) => one !== undefined && snapshot.holds(one, gone))) as Principal[];
    return reconcileAssignment(this.#present(snapshot, principals), by, { id: gone.id, holders }, work);
  }

  /** Writes what was judged, with what else belongs into the same change, and ends sessions once it is on disk. */
  async write(found: Reconciled, more: Wanted = { operations: [], events: [] }): Promise<void> {
    const operations: readonly Operation[] = [...more.operations, ...found.operations];
    const [first, ...rest]: readonly LedgerEvent[] = [...more.events, ...found.events];
    if (first) await this.#ports.changes.change({ operations, events: [first, ...rest] });
    for (const one of found.signedOut)
      await this.#ports.endSessions(typeof one === "string" ? { principal: one } : one);
  }

  /** Ends log-ins inside a turn; answers the principals whose they were. */
  endSessions(which: SessionsOf): Promise<readonly string[]> {
    return this.#ports.endSessions(which);
  }

  /** The same in a new turn. */
  signOut(which: SessionsOf): Promise<readonly string[]> {
    return this.#ports.changes.inTurn(() => this.#ports.endSessions(which));
  }

  #present(snapshot: Snapshot, principals: Principals): KnownPeople {
    return {
      now: this.#ports.clock.now(),
      principals,
      environments: [...snapshot.environments.keys()],
      fateIn: (environment) => snapshot.environments.get(environment)?.keyFate,
      keysOf: this.#ports.keysOf,
      lost: (key, change) => this.#ports.lost(snapshot, key, change),
    };
  }
}
