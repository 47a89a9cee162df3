/**
 * One of several machines that share the log of changes: the active one makes changes, the others are on standby, follow
 * the log, and take over. A change is judged by the replica, appended to the log, and only then written to the replica and
 * acknowledged, all in one turn of the feed. Whatever is not known is read from the log: nothing is acknowledged that is
 * not in it, and nothing in it is skipped.
 */
import { Problem } from "@sallyport/protocol";
import { CHANGE_VERSION } from "../../changes/change.ts";
import type { Change, Origin } from "../../changes/change.ts";
import type { ChangeWriter, Feed } from "../../changes/feed.ts";
import type { Committed } from "../../changes/image.ts";
import type { Clock } from "../../kernel/clock.ts";
import { formatChange, parseChange } from "./change-text.ts";
import { mistakeOfBase, mistakeOfEntry } from "./epoch-entry.ts";
import type { EntrySigner, EpochEntry, LogHead } from "./epoch-entry.ts";
import type { EpochLog, LogState, SequencerRight } from "./epoch-log.ts";
import { Sequencer } from "./sequencer.ts";

/** The store, as a replica of the log. */
export interface ReplicaPort extends ChangeWriter {
  /** Whether the change would be accepted now: rejects as `change()` would. */
  judge(change: Change): Promise<void>;
  /** Writes a change that is in the log as the next epoch. */
  apply(change: Change, position: LogHead, origin?: Origin): Promise<Committed>;
}

export interface AuthorityPorts {
  readonly log: EpochLog;
  readonly signer: EntrySigner;
  readonly replica: ReplicaPort;
  readonly deployment: string;
  /** Where the replica is when this begins. */
  readonly place: LogHead;
  /** This node, as entries name it. */
  readonly author: string;
  /** `sallyport/0.1.0` */
  readonly program: string;
  readonly clock: Pick<Clock, "now">;
  readonly onNotice: (text: string) => void;
  /** The log is not one that this replica may follow: nothing may be served any more. */
  readonly onUntrusted: (problem: Problem) => void;
}

type TurnFeed = Pick<Feed, "inTurn" | "follow" | "prepare">;

/** Entries in one read. */
const PAGE = 64;

export class Authority implements ChangeWriter {
  readonly #ports: AuthorityPorts;
  #feed: TurnFeed | null = null;
  #place: LogHead;
  #right: SequencerRight | null = null;
  #sequencer: Sequencer | null = null;
  /** The log may have entries after the replica's: they come first. */
  #isBehind = true;
  #holder = "";
  /** Where the active one is, as far as it is known. */
  #activeAt = "";
  #isReachable = true;
  #isClosed = false;

  constructor(ports: AuthorityPorts) {
    this.#ports = ports;
    this.#place = ports.place;
  }

  /** The feed that shows what this writes; once, before anything else. */
  attach(feed: TurnFeed): void {
    this.#feed = feed;
  }

  get isActive(): boolean {
    return this.#sequencer !== null && !this.#sequencer.isOver;
  }

  /** The last entry that the replica has. */
  get place(): LogHead {
    return this.#place;
  }

  /** Where this node's administration is, for those that are sent to it. */
  announce(holder: string): void {
    this.#holder = holder;
  }

  /**
   * Compares log and replica, catches up, and takes the right to append if it is free. Throws `log_missing`,
   * `log_foreign`, `log_ahead`, `log_damaged`, `change_unknown`, and `log_unavailable`: a machine that cannot see the log
   * does not know what was revoked.
   */
  async begin(): Promise<void> {
    const state = await this.#ports.log.state();
    if (!state) throw new Problem("log_missing");
    this.#demandOurs(state);
    await this.#follow();
    await this.#takeOver();
  }

  /** Only inside a turn of the feed. What only adds records is this node's own, and goes to its replica alone. */
  async change(change: Change): Promise<Committed> {
    if (change.operations.length === 0) return this.#ports.replica.change(change);
    const sequencer = this.#sequencer;
    if (!sequencer || sequencer.isOver) throw this.#refusal();
    if (this.#isBehind && (await this.#catchUp()))
      throw new Problem("conflict", "a change before this one became known only now: reload and try again");
    await this.#ports.replica.judge(change);
    const { author, program, clock, replica } = this.#ports;
    const text = await formatChange(change);
    this.#isBehind = true;
    const entry = await sequencer.append({ author, at: clock.now(), version: CHANGE_VERSION, program, ...text });
    const { expectEpoch: _, ...judged } = change;
    const committed = await replica.apply(judged, entry);
    this.#place = entry;
    this.#isBehind = false;
    return committed;
  }

  /** Looks after the right, or follows. Called again and again, once at a time. Throws nothing. */
  async look({ isRenewalDue }: { readonly isRenewalDue: boolean }): Promise<void> {
    if (this.#isClosed) return;
    try {
      if (this.#right) {
        const isLost = this.#sequencer?.isOver === true || (isRenewalDue && !(await this.#right.renew(this.#holder)));
        if (!isLost) {
          if (this.#isBehind) await this.#inTurn(() => this.#catchUpIfBehind());
          return this.#noteReachable();
        }
        await this.#stepDown("another gateway has the right to make changes, or the connection was lost");
      }
      await this.#follow();
      if (isRenewalDue) await this.#takeOver();
      this.#noteReachable();
    } catch (cause) {
      await this.#noteTrouble(cause);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#sequencer?.stop(new Problem("log_unavailable", "the gateway is stopping"));
    this.#sequencer = null;
    await this.#right?.release();
    this.#right = null;
    await this.#ports.log.close();
  }

  #refusal(): Problem {
    if (!this.#isReachable) return new Problem("log_unavailable");
    const where = this.#activeAt === "" ? undefined : `the active gateway's administration is at ${this.#activeAt}`;
    return new Problem("authority_standby", where);
  }

  #demandOurs(state: LogState): void {
    const { deployment, signer } = this.#ports;
    const { base } = state;
    if (base.deployment !== deployment)
      throw new Problem("log_foreign", `the log is of deployment ${base.deployment}, this directory of ${deployment}`);
    const mistake = mistakeOfBase(signer, base);
    if (mistake !== undefined) throw new Problem("log_damaged", mistake);
    if (state.isClosed) throw new Problem("log_foreign", "the deployment was moved back to a single machine");
    this.#demandReaches(state);
  }

  /** The log has at least what the replica has. */
  #demandReaches(state: LogState): void {
    const { epoch, head } = this.#place;
    if (state.epoch < epoch)
      throw new Problem("log_ahead", `the log ends at epoch ${state.epoch}, the replica is at ${epoch}`);
    if (state.epoch === epoch && state.head !== head)
      throw new Problem("log_ahead", `epoch ${epoch} of the log is another one than the replica's`);
  }

  /** Reads outside a turn, so that nothing waits for the network, and applies in one. */
  async #follow(): Promise<void> {
    for (;;) {
      const state = await this.#ports.log.state();
      if (!state) throw new Problem("log_missing");
      this.#activeAt = state.holder;
      this.#demandOurs(state);
      if (state.epoch === this.#place.epoch) return;
      const entries = await this.#ports.log.read(this.#place.epoch, PAGE);
      if (entries.length === 0) throw new Problem("log_damaged", `epoch ${this.#place.epoch + 1} is missing`);
      await this.#inTurn(() => this.#applyAll(entries));
    }
  }

  /** In a turn: everything that the log has. Whether that was anything: then what the caller has read is old. */
  async #catchUp(): Promise<boolean> {
    const before = this.#place;
    for (;;) {
      const entries = await this.#ports.log.read(this.#place.epoch, PAGE);
      if (entries.length === 0) break;
      await this.#applyAll(entries);
    }
    this.#isBehind = false;
    return this.#place !== before;
  }

  async #catchUpIfBehind(): Promise<void> {
    if (this.#isBehind) await this.#catchUp();
  }

  async #applyAll(entries: readonly EpochEntry[]): Promise<void> {
    // Another turn may have applied some of them.
    for (const entry of entries) if (entry.epoch > this.#place.epoch) await this.#apply(entry);
  }

  async #apply(entry: EpochEntry): Promise<void> {
    const { signer, deployment, replica } = this.#ports;
    const mistake = mistakeOfEntry(signer, deployment, this.#place, entry);
    if (mistake !== undefined) throw new Problem("log_damaged", mistake);
    const change = await parseChange(entry);
    await this.#feed!.prepare(change);
    // Every entry may use the room that a full disk keeps for revocations: the revocations are behind it.
    const committed = await replica.apply({ ...change, isNarrowing: true }, entry, entry).catch((cause: unknown) => {
      // A full disk may have room again. Anything else will be so for ever: this replica has become another one than the
      // authority's, which wrote only what its own accepted, and revocations would never reach it.
      if (cause instanceof Problem && cause.code !== "store_unavailable")
        throw new Problem("log_damaged", `the replica does not accept epoch ${entry.epoch}: ${cause.message}`);
      throw cause;
    });
    this.#place = entry;
    this.#feed!.follow(committed);
  }

  async #takeOver(): Promise<void> {
    if (this.#isClosed) return;
    const right = await this.#ports.log.acquire(this.#holder);
    if (!right) return;
    try {
      await this.#inTurn(async () => {
        await this.#catchUp();
        const { epoch, head } = right.state;
        if (epoch !== this.#place.epoch || head !== this.#place.head)
          throw new Problem("log_damaged", `the log says that it ends at epoch ${epoch}, and its entries do not`);
        this.#sequencer = new Sequencer(right, this.#ports.signer);
        this.#right = right;
      });
    } catch (cause) {
      await right.release();
      throw cause;
    }
    this.#ports.onNotice(`this gateway is the active authority now (fence ${right.fence}, epoch ${right.state.epoch})`);
  }

  async #stepDown(why: string): Promise<void> {
    const right = this.#right;
    this.#sequencer?.stop(this.#refusal());
    this.#sequencer = this.#right = null;
    this.#isBehind = true;
    await right?.release();
    this.#ports.onNotice(`this gateway is on standby now: ${why}`);
  }

  async #noteTrouble(cause: unknown): Promise<void> {
    const problem = cause instanceof Problem ? cause : new Problem("log_unavailable", String(cause));
    if (this.#right) await this.#stepDown(problem.message);
    // A database that answers, and says what cannot be: waiting does not help.
    if (UNTRUSTED.has(problem.code)) return this.#ports.onUntrusted(problem);
    if (this.#isReachable) this.#ports.onNotice(`${problem.message}: changes are rejected, requests are served`);
    this.#isReachable = false;
  }

  #noteReachable(): void {
    if (!this.#isReachable) this.#ports.onNotice("the database of changes is back");
    this.#isReachable = true;
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    await this.#feed!.inTurn(work);
  }
}

const UNTRUSTED: ReadonlySet<string> = new Set([
  "log_missing",
  "log_foreign",
  "log_ahead",
  "log_damaged",
  "change_unknown",
]);
