/**
 * Whether a replica may be chosen, judged by real calls only. An unreachable replica is taken out at once: it fails so
 * fast that it would look idle and attract every request. One that breaks off or returns server errors is taken out
 * after some in a row. It comes back after a growing, jittered time, with one call first.
 */

/**
 * `unreachable`: the connection was rejected at once. `silent`: no connection within its bound. `broken`: closed, late
 * or a server error.
 */
export type CallFailure = "unreachable" | "silent" | "broken";

/** What an error of a call says of the replica. `wasSent`: the connection was made. */
export function failureOf({ name }: Error, wasSent: boolean): CallFailure {
  if (wasSent) return "broken";
  return name === "ConnectTimeoutError" ? "silent" : "unreachable";
}

export type Fitness = "up" | "trial" | "out";

/** So many broken answers in a row, without a good one between them. */
const BROKEN_MAX = 5;
const FIRST_OUT_MS = 1_000;
const OUT_MAX_MS = 30_000;
/** After its time is over, one call is tried in so long. */
const TRIAL_EVERY_MS = 2_000;

export interface HealthPorts {
  /** Monotonic ms. */
  readonly now: () => number;
  /** 0 to 1. */
  readonly random: () => number;
  /** It was taken out, or came back. */
  readonly onFit?: (isFit: boolean) => void;
}

export class ReplicaHealth {
  readonly #ports: HealthPorts;
  #broken = 0;
  /** How often it was taken out since it last answered well. */
  #outs = 0;
  #backAtMs = 0;
  #failure: CallFailure | null = null;
  /** A trial was begun and is not decided. */
  #isTried = false;

  constructor(ports: HealthPorts) {
    this.#ports = ports;
  }

  get fitness(): Fitness {
    if (this.#failure === null) return "up";
    return this.#ports.now() < this.#backAtMs ? "out" : "trial";
  }

  /** Monotonic ms of its next trial. */
  get backAtMs(): number {
    return this.#backAtMs;
  }

  /** When callers should try again: at its next trial. */
  get retryAfterSeconds(): number {
    return Math.max(1, Math.ceil((this.#backAtMs - this.#ports.now()) / 1_000));
  }

  /** It was reached the last time it was tried. */
  get isReachable(): boolean {
    return this.#failure === null || this.#failure === "broken";
  }

  /** Calls to it wait for a connection that does not come. */
  get isSilent(): boolean {
    return this.#failure === "silent";
  }

  /** The call that is sent now decides: no other until it has, or for a while. */
  beginTrial(): void {
    this.#isTried = true;
    this.#backAtMs = this.#ports.now() + TRIAL_EVERY_MS;
  }

  /** It began an answer. */
  answered(status: number): void {
    if (status >= 500) return this.failed("broken");
    this.#broken = 0;
    if (this.#failure === null) return;
    this.#outs = 0;
    this.#failure = null;
    this.#isTried = false;
    this.#ports.onFit?.(true);
  }

  failed(failure: CallFailure): void {
    // What was sent before it was taken out fails one after the other: that is one failure, not many.
    if (this.fitness === "out" && !this.#isTried) return;
    if (failure === "broken" && this.#failure === null && ++this.#broken < BROKEN_MAX) return;
    const outMs = Math.min(OUT_MAX_MS, FIRST_OUT_MS * 2 ** this.#outs);
    this.#outs++;
    this.#isTried = false;
    if (this.#failure === null) this.#ports.onFit?.(false);
    this.#failure = failure;
    this.#backAtMs = this.#ports.now() + outMs * (0.5 + this.#ports.random());
  }
}
