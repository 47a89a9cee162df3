/**
 * A fair queue in front of something scarce (the slots of one model on all its replicas). Its source knows whether a
 * slot is free; waiting requests take turns, one per key in rotation, so that a key with a hundred waiting requests
 * does not starve a key with one. A full queue rejects the newest request of the principal who has most of it, so that
 * no principal can keep all places.
 */
import { isRefusal, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";

/** Called once: with a slot, or with the reason why there will be none. */
export type Turn<S> = (slot: S | null, refusal: Refusal | undefined) => void;

/** A slot that was taken, a denial if no slot can come at all, undefined if the caller has to wait. */
export type Offer<S> = S | Refusal | undefined;

export interface QueueRules {
  readonly waitMs: number;
  readonly lengthMax: number;
}

export interface QueuePorts<S> {
  /** Takes a free slot. */
  readonly take: () => Offer<S>;
  readonly rules: () => QueueRules;
  /** Requests that run at the same time, for the expected wait. */
  readonly slots: () => number;
}

interface Waiting<S> {
  readonly key: string;
  /** Whose request it is, with all of their keys. */
  readonly principal: string;
  readonly turn: Turn<S>;
  /** Higher for later arrivals. */
  readonly number: number;
  timer: NodeJS.Timeout | undefined;
  isOver: boolean;
}

/** Handle of a waiting request: `leave` ends the wait with a denial (the caller has gone, or lost the permission). */
export interface Place {
  leave(refusal: Refusal): void;
}

/** Without a measurement yet, callers are asked to retry after this. */
const UNKNOWN_WAIT_SECONDS = 5;
const RETRY_AFTER_MAX_SECONDS = 600;
/** Weight of the newest service time in the mean. */
const NEWEST = 0.2;

export class FairQueue<S extends object> {
  readonly #ports: QueuePorts<S>;
  readonly #byKey = new Map<string, Waiting<S>[]>();
  /** Had a slot and lost it by no fault of the request: served before the rotation. */
  readonly #first: Waiting<S>[] = [];
  readonly #byPrincipal = new Map<string, number>();
  #entered = 0;
  #waiting = 0;
  #serviceMs = 0;

  constructor(ports: QueuePorts<S>) {
    this.#ports = ports;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** A slot at once, if one is free and no request waits for it. */
  take(): Offer<S> {
    return this.#waiting > 0 ? undefined : this.#ports.take();
  }

  /** A place in the queue, or a denial because it is full. */
  wait(key: string, turn: Turn<S>, principal = key): Place | Refusal {
    const { lengthMax } = this.#ports.rules();
    if (this.#waiting >= lengthMax && !this.#makeRoom(principal, lengthMax))
      return this.#told(refuse("queue_full"), this.#waiting + 1);
    const waiting = this.#enter(key, turn, principal);
    const list = this.#byKey.get(key);
    if (list) list.push(waiting);
    else this.#byKey.set(key, [waiting]);
    return this.#placeOf(waiting);
  }

  /** A place before all others, for a request whose replica failed before it answered. */
  waitFirst(turn: Turn<S>): Place {
    const waiting = this.#enter("", turn, "");
    this.#first.push(waiting);
    return this.#placeOf(waiting);
  }

  /** Gives the slots that are free to those who wait. */
  pump(): void {
    while (this.#waiting > 0) {
      const offer = this.#ports.take();
      if (offer === undefined) return;
      const next = this.#takeNext();
      if (isRefusal(offer)) next.turn(null, offer);
      else next.turn(offer, undefined);
    }
  }

  /** Ends every wait. */
  refuseAll(refusal: Refusal): void {
    while (this.#waiting > 0) this.#takeNext().turn(null, refusal);
  }

  /** How long one request held its slot: the expected wait is made of these. */
  noteService(serviceMs: number): void {
    this.#serviceMs += (this.#serviceMs === 0 ? 1 : NEWEST) * (serviceMs - this.#serviceMs);
  }

  /** Rejects the newest request of the principal who has most, if that is more than the newcomer would have. */
  #makeRoom(principal: string, lengthMax: number): boolean {
    // Policy may have made the queue shorter than it is: then it empties first.
    if (this.#waiting > lengthMax) return false;
    let most = (this.#byPrincipal.get(principal) ?? 0) + 1;
    let largest: string | undefined;
    for (const [owner, count] of this.#byPrincipal) {
      if (count <= most || owner === "") continue;
      most = count;
      largest = owner;
    }
    if (largest === undefined) return false;
    let newest: Waiting<S> | undefined;
    for (const list of this.#byKey.values()) {
      const last = list.at(-1)!;
      if (last.principal === largest && (newest === undefined || last.number > newest.number)) newest = last;
    }
    if (newest === undefined) return false;
    this.#leave(newest, this.#told(refuse("queue_full"), this.#waiting));
    return true;
  }

  #enter(key: string, turn: Turn<S>, principal: string): Waiting<S> {
    const waiting: Waiting<S> = { key, principal, turn, number: ++this.#entered, timer: undefined, isOver: false };
    this.#byPrincipal.set(principal, (this.#byPrincipal.get(principal) ?? 0) + 1);
    waiting.timer = setTimeout(this.#onLate, this.#ports.rules().waitMs, waiting);
    this.#waiting++;
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
    const isKnown = this.#serviceMs > 0;
    const seconds = Math.ceil((position * this.#serviceMs) / Math.max(1, this.#ports.slots()) / 1_000);
    return refusal.with({
      retryAfterSeconds: isKnown ? Math.min(Math.max(1, seconds), RETRY_AFTER_MAX_SECONDS) : UNKNOWN_WAIT_SECONDS,
      queue: isKnown ? { position, expectedWaitSeconds: seconds } : { position },
    });
  }

  /** How many turns come until its own, itself included. */
  #positionOf(waiting: Waiting<S>): number {
    const first = this.#first.indexOf(waiting);
    if (first >= 0) return first + 1;
    const own = this.#byKey.get(waiting.key) ?? [];
    const round = own.indexOf(waiting);
    let position = this.#first.length + round + 1;
    let isBefore = true;
    for (const [key, list] of this.#byKey) {
      if (key === waiting.key) isBefore = false;
      else position += Math.min(list.length, isBefore ? round + 1 : round);
    }
    return position;
  }

  #takeNext(): Waiting<S> {
    const next = this.#first.shift() ?? this.#takeOfRotation();
    this.#end(next);
    return next;
  }

  #takeOfRotation(): Waiting<S> {
    const [key, list] = this.#byKey.entries().next().value!;
    const next = list.shift()!;
    // The key goes to the end of the rotation: a Map keeps the order of insertion.
    this.#byKey.delete(key);
    if (list.length > 0) this.#byKey.set(key, list);
    return next;
  }

  #leave(waiting: Waiting<S>, refusal: Refusal): void {
    if (waiting.isOver) return;
    const first = this.#first.indexOf(waiting);
    if (first >= 0) this.#first.splice(first, 1);
    else {
      const list = this.#byKey.get(waiting.key)!;
      list.splice(list.indexOf(waiting), 1);
      if (list.length === 0) this.#byKey.delete(waiting.key);
    }
    this.#end(waiting);
    waiting.turn(null, refusal);
  }

  #end(waiting: Waiting<S>): void {
    waiting.isOver = true;
    clearTimeout(waiting.timer);
    const left = (this.#byPrincipal.get(waiting.principal) ?? 1) - 1;
    if (left === 0) this.#byPrincipal.delete(waiting.principal);
    else this.#byPrincipal.set(waiting.principal, left);
    this.#waiting--;
  }
}
