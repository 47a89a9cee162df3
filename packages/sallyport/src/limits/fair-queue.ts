/**
 * A fair queue in front of something scarce: the slots of one model on all its replicas. Each turn goes to the caller who
 * was charged least by the tree of shares (`share-tree.ts`). A request is charged its predicted service when it gets its
 * slot, more while it runs longer, and the exact time when it gives the slot back. Batch requests get the turns that
 * interactive ones leave, and now and then one more, so that they do not starve.
 *
 * A full queue rejects the newest request of the principal who has most of it, so that no principal can keep all places.
 */
import { isRefusal, refuse } from "@sallyport/protocol";
import type { Priority, Refusal } from "@sallyport/protocol";
import { QueuePlaces } from "./queue-places.ts";
import type { QueueCaller, Turn, Waiting } from "./queue-places.ts";
import { ServiceTimes } from "./service-times.ts";
import type { Share } from "./share.ts";
import { ShareTree } from "./share-tree.ts";

/** A slot that was taken, a denial if no slot can come at all, undefined if the caller has to wait. */
export type Offer<S> = S | Refusal | undefined;

export interface QueueRules {
  readonly waitMs: number;
  readonly lengthMax: number;
}

export interface QueuePorts<S> {
  /** Takes a free slot for the caller. */
  readonly take: (caller: QueueCaller) => Offer<S>;
  readonly rules: () => QueueRules;
  /** Requests that run at the same time, for the expected wait. */
  readonly slots: () => number;
  /** Monotonic ms. */
  readonly now: () => number;
}

/** Handle of a waiting request: `leave` ends the wait with a denial (the caller has gone, or lost the permission). */
export interface Place {
  leave(refusal: Refusal): void;
}

/** The service of one request, as charged. Given back once, by `FairQueue.end`. */
export interface Service {
  readonly caller: QueueCaller;
  readonly share: Share;
  readonly predictedMs: number;
  chargedMs: number;
  isOver: boolean;
}

/** Without a measurement yet, callers are asked to retry after this. */
const UNKNOWN_WAIT_SECONDS = 5;
const RETRY_AFTER_MAX_SECONDS = 600;
/** A batch request that waits longer than this gets one of so many turns, though interactive ones wait. */
const BATCH_AGES_MS = 30_000;
const BATCH_TURN_OF = 8;

export class FairQueue<S extends object> {
  readonly times = new ServiceTimes();
  readonly #ports: QueuePorts<S>;
  readonly #trees: Readonly<Record<Priority, ShareTree>> = { interactive: new ShareTree(), batch: new ShareTree() };
  readonly #places = new QueuePlaces<S>();
  /** Had a slot and lost it by no fault of the request: served before all others. */
  readonly #first: Waiting<S>[] = [];
  #entered = 0;
  /** Interactive turns since the last batch turn. */
  #sinceBatch = 0;

  constructor(ports: QueuePorts<S>) {
    this.#ports = ports;
  }

  get waiting(): number {
    return this.#places.size + this.#first.length;
  }

  /** Shares it knows: those of callers who wait, run or still owe service. */
  get shares(): number {
    return this.#trees.interactive.size + this.#trees.batch.size;
  }

  /** A slot at once, if one is free and no request waits for it. */
  take(caller: QueueCaller): Offer<S> {
    return this.waiting > 0 ? undefined : this.#ports.take(caller);
  }

  /** The caller got its slot: what it is predicted to take is charged. */
  begin(caller: QueueCaller): Service {
    const share = this.#trees[caller.priority].of(caller);
    const predictedMs = this.times.predictMs(caller.principal);
    this.#trees[caller.priority].begin(share);
    share.charge(predictedMs);
    return { caller, share, predictedMs, chargedMs: predictedMs, isOver: false };
  }

  /** It has held its slot for so long: what is more than was charged is charged now. */
  correct(service: Service, heldMs: number): void {
    if (service.isOver || heldMs <= service.chargedMs) return;
    service.share.charge(heldMs - service.chargedMs);
    service.chargedMs = heldMs;
  }

  /** It gives its slot back after so long. */
  end(service: Service, heldMs: number): void {
    if (service.isOver) return;
    service.isOver = true;
    service.share.charge(heldMs - service.chargedMs);
    this.#trees[service.caller.priority].end(service.share);
    this.times.observe(service.caller.principal, service.predictedMs, heldMs);
  }

  /** A place in the queue, or a denial because it is full. */
  wait(caller: QueueCaller, turn: Turn<S>): Place | Refusal {
    const { lengthMax } = this.#ports.rules();
    if (this.waiting >= lengthMax && !this.#makeRoom(caller.principal, lengthMax))
      return this.#told(refuse("queue_full"), this.waiting + 1);
    const share = this.#trees[caller.priority].of(caller);
    const waiting = this.#enter(caller, turn, share);
    this.#places.add(waiting, share);
    this.#trees[caller.priority].enter(share);
    return this.#placeOf(waiting);
  }

  /** A place before all others, for a request whose replica failed before it answered. */
  waitFirst(caller: QueueCaller, turn: Turn<S>): Place {
    const waiting = this.#enter(caller, turn, null);
    this.#first.push(waiting);
    return this.#placeOf(waiting);
  }

  /** Gives the slots that are free to those who wait. */
  pump(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const offer = this.#ports.take(next.caller);
      if (offer === undefined) return;
      this.#remove(next);
      if (isRefusal(offer)) next.turn(null, offer);
      else {
        this.#sinceBatch = next.caller.priority === "batch" ? 0 : this.#sinceBatch + 1;
        next.turn(offer, undefined);
      }
    }
  }

  /** Ends every wait. */
  refuseAll(refusal: Refusal): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#remove(next);
      next.turn(null, refusal);
    }
  }

  /** How many turns come until its own, itself included, as far as it can be told without looking at everybody. */
  #positionOf(waiting: Waiting<S>): number {
    const first = this.#first.indexOf(waiting);
    return first >= 0 ? first + 1 : this.#first.length + this.#places.positionOf(waiting);
  }

  #next(): Waiting<S> | undefined {
    if (this.#first.length > 0) return this.#first[0];
    const interactive = this.#trees.interactive.next();
    const batch = this.#trees.batch.next();
    const share = batch !== undefined && (interactive === undefined || this.#isAged(batch)) ? batch : interactive;
    return share === undefined ? undefined : this.#places.firstOf(share);
  }

  #isAged(batch: Share): boolean {
    if (this.#sinceBatch < BATCH_TURN_OF - 1) return false;
    return this.#ports.now() - this.#places.firstOf(batch).sinceMs >= BATCH_AGES_MS;
  }

  /** Rejects the newest request of the principal who has most, if that is more than the newcomer would have. */
  #makeRoom(principal: string, lengthMax: number): boolean {
    // Policy may have made the queue shorter than it is: then it empties first.
    if (this.waiting > lengthMax) return false;
    const newest = this.#places.newestOfLargest(principal);
    if (newest === undefined) return false;
    this.#leave(newest, this.#told(refuse("queue_full"), this.waiting));
    return true;
  }

  #enter(caller: QueueCaller, turn: Turn<S>, share: Share | null): Waiting<S> {
    const sinceMs = this.#ports.now();
    const number = ++this.#entered;
    const waiting: Waiting<S> = { caller, turn, share, number, sinceMs, timer: undefined, isOver: false };
    waiting.timer = setTimeout(this.#onLate, this.#ports.rules().waitMs, waiting);
    return waiting;
  }

  #placeOf(waiting: Waiting<S>): Place {
    return { leave: (refusal) => this.#leave(waiting, refusal) };
  }

  readonly #onLate = (waiting: Waiting<S>): void => {
    this.#leave(waiting, this.#told(refuse("queue_timeout"), this.#positionOf(waiting)));
  };

  /** With the place in the queue and the time until its turn, as far as it is known. */
  #told(refusal: Refusal, position: number): Refusal {
    const { meanMs } = this.times;
    const isKnown = meanMs > 0;
    const seconds = Math.ceil((position * meanMs) / Math.max(1, this.#ports.slots()) / 1_000);
    return refusal.with({
      retryAfterSeconds: isKnown ? Math.min(Math.max(1, seconds), RETRY_AFTER_MAX_SECONDS) : UNKNOWN_WAIT_SECONDS,
      queue: isKnown ? { position, expectedWaitSeconds: seconds } : { position },
    });
  }

  #leave(waiting: Waiting<S>, refusal: Refusal): void {
    if (waiting.isOver) return;
    this.#remove(waiting);
    waiting.turn(null, refusal);
  }

  #remove(waiting: Waiting<S>): void {
    waiting.isOver = true;
    clearTimeout(waiting.timer);
    const { share } = waiting;
    if (share === null) return void this.#first.splice(this.#first.indexOf(waiting), 1);
    this.#places.remove(waiting, share);
    share.leave();
    // What got a slot is in the tree again at once: only what goes for good may be forgotten.
    this.#trees[waiting.caller.priority].forget(share);
  }
}
