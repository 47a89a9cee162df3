/**
 * What the times of records cannot vouch for: that nothing is missing while a node was silent, and the times at which
 * its clock was set back. A node records a heartbeat every few minutes, and records when it stops.
 */
import type { LedgerRecord } from "./record-line.ts";

export const HEARTBEAT = "ledger.heartbeat";
/** Requests of a time were served and have no records: policy wanted that. */
export const GAP = "ledger.gap";
export const HEARTBEAT_MS = 300_000;
/** Two beats missed, and some time for a commit. */
const SILENCE_MS = 2 * HEARTBEAT_MS + 60_000;
/** Records are sequenced in groups, and their times are of before. */
const STEP_MS = 120_000;
const KEPT_MAX = 100;

/** A time that is not vouched for, epoch ms, after the record with this number. */
export interface Unvouched {
  readonly after: number;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

export class RecordTimes {
  readonly unvouched: Unvouched[] = [];
  #latest = -Infinity;
  #seq = 0;
  #isStopped = false;
  /** Once a node has begun to say that it is there, its silence says something. */
  #isBeating = false;

  /** Another log of the same node: its times are its own. */
  begin(): void {
    this.#latest = -Infinity;
    this.#seq = 0;
    this.#isBeating = false;
    this.#isStopped = false;
  }

  take({ seq, at, type, environment, fields }: LedgerRecord): void {
    const gapMs = at - this.#latest;
    if (this.#seq > 0 && gapMs < -STEP_MS)
      this.#note(this.#latest, at, `the clock went back by ${Math.round(-gapMs / 1000)} s`);
    else if (this.#seq > 0 && gapMs > SILENCE_MS && this.#isBeating && !this.#isStopped)
      this.#note(this.#latest, at, "the node was silent and had not said that it stops");
    if (at > this.#latest || gapMs < -STEP_MS) this.#latest = at;
    this.#isStopped = type === "server.stopped" || (this.#isStopped && type !== "server.started");
    if (type === HEARTBEAT) this.#isBeating = true;
    this.#seq = seq;
    const { since, until, requests } = fields;
    if (type === GAP && typeof since === "number" && typeof until === "number")
      this.#note(since, until, `${String(requests)} requests of ${environment} have no records, as its policy says`);
  }

  #note(from: number, to: number, reason: string): void {
    const { length } = this.unvouched;
    if (length < KEPT_MAX) this.unvouched.push({ after: this.#seq, from, to, reason });
    // The list has an end, and says so.
    else if (length === KEPT_MAX)
      this.unvouched.push({ after: this.#seq, from, to, reason: `${reason}; later such times are not listed` });
  }
}
