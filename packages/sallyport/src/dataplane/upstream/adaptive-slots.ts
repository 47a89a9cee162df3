/**
 * How many requests of one model a server takes at the same time, where policy does not say: learned from how long it
 * lets a request wait before it begins. A server that queues inside has too many; one whose requests begin at once,
 * although all slots are taken, can have one more. So the queue in front of it is the only one that matters.
 */

/** A request when it was let in. */
export interface LetIn {
  /** Requests of the model on this server, itself included. */
  readonly running: number;
  /** The model was loaded: otherwise the wait is that of loading. */
  readonly wasLoaded: boolean;
  /** Monotonic ms. */
  readonly beganMs: number;
}

const FIRST_SLOTS = 4;
const SLOTS_MAX = 4_096;
/** A wait below this means nothing: networks and threads make as much. */
const NOISE_MS = 250;
/** A first byte may take so many times as long as it does alone. */
const TOLERANCE = 3;
/** Weight of the newest first byte that came without others. */
const NEWEST = 0.2;
/** After it had too many, so many good requests are seen before one more slot is tried again; doubled each time. */
const PATIENCE = 32;
const PATIENCE_MAX = 1_024;

export class AdaptiveSlots {
  #slots = FIRST_SLOTS;
  /** First byte of a request that runs alone, ms; 0 = not known. Of streams, and of answers in one piece. */
  readonly #aloneMs: [stream: number, whole: number] = [0, 0];
  /** What was let in before this is not evidence any more. */
  #reducedMs = Number.NEGATIVE_INFINITY;
  #patience = 0;
  #good = 0;

  get slots(): number {
    return this.#slots;
  }

  /** The first byte of an answer has come. `isExact`: at its end the server will say how long it worked. */
  began(letIn: LetIn, firstByteMs: number, isStream: boolean, isExact: boolean, nowMs: number): void {
    if (this.#tellsNothing(letIn)) return;
    const kind = isStream ? 0 : 1;
    const known = this.#aloneMs[kind];
    if (letIn.running === 1 || known === 0)
      this.#aloneMs[kind] = known + (known === 0 ? 1 : NEWEST) * (firstByteMs - known);
    const lateMs = firstByteMs - TOLERANCE * this.#aloneMs[kind];
    if (lateMs <= NOISE_MS) this.#grow(letIn);
    else if (!isExact) this.#reduce(letIn, nowMs);
  }

  /** The answer is over, and the server has said what it worked: for so long it only waited. */
  waited(letIn: LetIn, waitedMs: number, nowMs: number): void {
    if (!this.#tellsNothing(letIn) && waitedMs > NOISE_MS) this.#reduce(letIn, nowMs);
  }

  #tellsNothing({ wasLoaded, beganMs }: LetIn): boolean {
    return !wasLoaded || beganMs < this.#reducedMs;
  }

  #grow({ running }: LetIn): void {
    if (running < this.#slots || ++this.#good < this.#patience) return;
    this.#good = 0;
    this.#slots = Math.min(this.#slots + 1, SLOTS_MAX);
  }

  #reduce({ running }: LetIn, nowMs: number): void {
    if (running === 1) return;
    const from = Math.min(running, this.#slots);
    this.#slots = Math.max(1, from - Math.max(1, Math.floor(from / 32)));
    this.#reducedMs = nowMs;
    this.#good = 0;
    this.#patience = Math.min(PATIENCE_MAX, Math.max(PATIENCE, this.#patience * 2));
  }
}
