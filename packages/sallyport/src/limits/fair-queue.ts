/**
 * A fair queue in front of one scarce thing (an upstream's model): at most `slots` run, the rest wait their turn, one
 * turn per key in rotation, so that a key with a hundred waiting requests does not starve a key with one.
 */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";

/** Called once: with undefined when a slot is taken, with a refusal when the wait ended otherwise. */
export type Turn = (refusal: Refusal | undefined) => void;

interface Waiting {
  readonly key: string;
  readonly turn: Turn;
  timer: NodeJS.Timeout | undefined;
  isOver: boolean;
}

/** Handle of one who waits: `leave` ends the wait with a refusal (the caller has gone, or his right has ended). */
export interface Place {
  leave(refusal: Refusal): void;
}

export class FairQueue {
  readonly #slots: number;
  readonly #waitingMax: number;
  readonly #waitMs: number;
  readonly #byKey = new Map<string, Waiting[]>();
  #running = 0;
  #waiting = 0;

  constructor(slots: number, waitingMax: number, waitMs: number) {
    this.#slots = slots;
    this.#waitingMax = waitingMax;
    this.#waitMs = waitMs;
  }

  get waiting(): number {
    return this.#waiting;
  }

  get isIdle(): boolean {
    return this.#running === 0 && this.#waiting === 0;
  }

  /** Takes a slot at once (undefined), refuses (the queue is full), or gives a place in the queue. */
  enter(key: string, turn: Turn): Place | Refusal | undefined {
    if (this.#running < this.#slots && this.#waiting === 0) {
      this.#running++;
      return undefined;
    }
    if (this.#waiting >= this.#waitingMax) return { ...refuse("queue_full"), retryAfterSeconds: 5 };
    const waiting: Waiting = { key, turn, timer: undefined, isOver: false };
    const leave = (refusal: Refusal): void => this.#leave(waiting, refusal);
    waiting.timer = setTimeout(leave, this.#waitMs, { ...refuse("queue_timeout"), retryAfterSeconds: 10 });
    const list = this.#byKey.get(key);
    if (list) list.push(waiting);
    else this.#byKey.set(key, [waiting]);
    this.#waiting++;
    return { leave };
  }

  /** Gives a slot back; the next key in rotation gets it. */
  release(): void {
    this.#running--;
    while (this.#running < this.#slots && this.#waiting > 0) {
      const next = this.#takeNext();
      this.#running++;
      next.turn(undefined);
    }
  }

  #takeNext(): Waiting {
    const [key, list] = this.#byKey.entries().next().value!;
    const next = list.shift()!;
    // The key goes to the end of the rotation: a Map keeps the order of insertion.
    this.#byKey.delete(key);
    if (list.length > 0) this.#byKey.set(key, list);
    this.#end(next);
    return next;
  }

  #leave(waiting: Waiting, refusal: Refusal): void {
    if (waiting.isOver) return;
    const list = this.#byKey.get(waiting.key);
    list?.splice(list.indexOf(waiting), 1);
    if (list?.length === 0) this.#byKey.delete(waiting.key);
    this.#end(waiting);
    waiting.turn(refusal);
  }

  #end(waiting: Waiting): void {
    waiting.isOver = true;
    clearTimeout(waiting.timer);
    this.#waiting--;
  }
}
