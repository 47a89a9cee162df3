/**
 * Applies the inactivity policy: what is due for keys because of their age, their inactivity or an owner who is gone
 * (`disuse.ts`). All keys are checked in slices, and many keys end in one change.
 */
import { Problem, SYSTEM_REALM } from "@sallyport/protocol";
import type { KeyLife } from "../access/policy.ts";
import type { Changes, Operation } from "../changes/change.ts";
import type { EventType, LedgerEvent } from "../audit/event.ts";
import type { Clock } from "../kernel/clock.ts";
import { LongWork } from "../kernel/long-work.ts";
import type { KeyDirectory } from "./directory.ts";
import { findDue } from "./disuse.ts";
import type { KeyFinding } from "./disuse.ts";
import type { KeyRecord } from "./key.ts";
import { keyEvent, lifeOperation } from "./key-change.ts";
import { settle } from "./secret-machine.ts";
import type { UseRecord } from "./use-record.ts";

export interface SweepPorts {
  readonly clock: Clock;
  readonly keys: KeyDirectory;
  readonly uses: UseRecord;
  readonly changes: Changes;
  /** Of the current policy: undefined for an environment that does not exist (any more). */
  readonly life: (environment: string) => { readonly keyLife: KeyLife } | undefined;
  /** Whether a principal of that id is there and not disabled. */
  readonly hasOwner: (principal: string) => boolean;
  readonly listKeys: (filter: { after?: string; limit: number }) => readonly KeyRecord[];
  /** Whether the wall clock can be believed for what cannot be undone. */
  readonly isClockAgreed: () => boolean;
  /** What failed and will be retried at the next use or run. */
  readonly fault: (cause: unknown) => void;
}

/** Reading and checking a key's row takes some 50 us: a page is part of one turn. */
const PAGE = 20;
/** A revocation waits for the change before it, and so never for more keys than this and a page. */
const KEYS_PER_CHANGE = 200;
const TOLD_MAX = 8;
const ACTOR = "gateway";

export class KeySweep {
  readonly #ports: SweepPorts;

  constructor(ports: SweepPorts) {
    this.#ports = ports;
  }

  /**
   * What is due now, and unless it is a dry run, done: many keys in one change, because each change costs a commit and a new
   * look at all that runs. Throws `clock_doubtful` where the clock was just set.
   */
  async run({ isDryRun }: { readonly isDryRun: boolean }, work = new LongWork()): Promise<readonly KeyFinding[]> {
    if (!isDryRun && !this.#ports.isClockAgreed()) throw new Problem("clock_doubtful");
    const found: KeyFinding[] = [];
    const done: KeyFinding[] = [];
    // What only takes away is committed on a full disk, too: it comes first, and in no change with what does not.
    const ending: KeyFinding[] = [];
    let after: string | undefined;
    for (;;) {
      const page = this.#ports.listKeys({ ...(after === undefined ? {} : { after }), limit: PAGE });
      for (const key of page) {
        if (key.environment === SYSTEM_REALM) continue;
        const finding = this.#lookAt(() => this.#due(key));
        if (finding) (isDryRun || !isEnding(finding) ? found : ending).push(finding);
        const resting = work.rest();
        if (resting) await resting;
      }
      if (ending.length >= KEYS_PER_CHANGE) done.push(...(await this.#act(ending.splice(0), work)));
      const last = page.at(-1);
      if (!last || page.length < PAGE) break;
      after = `${last.environment}/${last.id}`;
    }
    if (isDryRun) return found;
    done.push(...(await this.#act(ending, work)));
    for (let from = 0; from < found.length; from += KEYS_PER_CHANGE)
      done.push(...(await this.#act(found.slice(from, from + KEYS_PER_CHANGE), work)));
    return done;
  }

  /** What is stored of one key's uses may be damaged: the others are looked at all the same. */
  #lookAt<T>(look: () => T): T | undefined {
    try {
      return look();
    } catch (cause) {
      if (!(cause instanceof Problem) || cause.code !== "record_damaged") throw cause;
      this.#ports.fault(cause);
      return undefined;
    }
  }

  #due(key: KeyRecord): KeyFinding | undefined {
    const life = this.#ports.life(key.environment)?.keyLife;
    if (!life) return undefined;
    const uses = this.#ports.uses.lastUses(key.environment, key.id);
    const hasOwner = key.owner !== null && this.#ports.hasOwner(key.owner);
    return findDue({ key, life, uses, hasOwner, now: this.#ports.clock.now() });
  }

  /**
   * Checks each key again in its turn, so that a key that a change has just fixed is left alone. Returns what was done.
   */
  #act(due: readonly KeyFinding[], work: LongWork): Promise<readonly KeyFinding[]> {
    if (due.length === 0) return Promise.resolve([]);
    return this.#ports.changes.inTurn(async () => {
      // In the turn of changes nothing else changes while this rests.
      const steps = await work.flatMap(due, ({ environment, keyId }) => {
        const step = this.#lookAt(() => this.#stepOf(environment, keyId));
        return step ? [step] : [];
      });
      const [first, ...rest] = steps.map(({ event }) => event);
      if (first) {
        const operations = steps.map(({ operation }) => operation);
        await this.#ports.changes.change({ operations, events: [first, ...rest] });
      }
      return steps.map(({ finding }) => finding);
    });
  }

  /** What is to be done about the key as it is now; undefined where nothing is due any more. */
  #stepOf(environment: string, id: string): SweepStep | undefined {
    const key = this.#ports.keys.find(environment, id);
    const life = this.#ports.life(environment)?.keyLife;
    const finding = key && this.#due(key);
    if (!key || !life || !finding) return undefined;
    const { code, action, mark, dueAt } = finding;
    const fields = { reason: code, due_at: dueAt };
    const step = (operation: Operation, type: EventType): SweepStep => ({
      finding,
      operation,
      event: keyEvent(key, { type, actor: ACTOR, at: this.#ports.clock.now() }, fields),
    });
    if (action === "notice") {
      const told = [...key.told, mark ?? code].slice(-TOLD_MAX);
      return step(lifeOperation({ ...key, told }), "key.notice");
    }
    if (action === "end_overlap") {
      const uses = this.#ports.uses.lastUses(environment, id);
      const next = settle(key, this.#ports.clock.now(), { quietMs: life.quietMs, uses });
      return step(lifeOperation(next), "key.rotation_ended");
    }
    const state = action === "suspend" ? "suspended" : "revoked";
    return step({ op: "key.state", environment, id, state, reason: code }, `key.${state}`);
  }
}

interface SweepStep {
  readonly finding: KeyFinding;
  readonly operation: Operation;
  readonly event: LedgerEvent;
}

/** The key stops working, and nothing else of it changes. */
function isEnding({ action }: KeyFinding): boolean {
  return action === "revoke" || action === "suspend";
}
