/**
 * Which tickets are on disk, which failed, and who waits for them. Tickets are settled in the order in which they were
 * issued.
 */
import type { Ticket } from "../../audit/recorder.ts";

/** A longer memory is useless: no one asks about a ticket that old. A forgotten one counts as failed. */
const REFUSED_RANGES_MAX = 4_096;

type Told = (isOnDisk: boolean) => void;

export class TicketBook {
  #given: Ticket = 0;
  #settled: Ticket = 0;
  #forgotten: Ticket = 0;
  #refused: { readonly from: Ticket; to: Ticket }[] = [];
  /** In the order they asked. A list and no Map, which under this load keeps what is over alive (see LiveExchanges). */
  #waiting: { readonly ticket: Ticket; readonly tell: Told }[] = [];

  /** Tickets given out and not settled. */
  get open(): number {
    return this.#given - this.#settled;
  }

  next(): Ticket {
    return ++this.#given;
  }

  isDurable(ticket: Ticket): boolean {
    if (ticket <= this.#forgotten || ticket > this.#settled) return false;
    return !this.#refused.some(({ from, to }) => from <= ticket && ticket <= to);
  }

  whenDurable(ticket: Ticket, then: Told): void {
    if (ticket <= this.#settled || ticket > this.#given) return then(this.isDurable(ticket));
    this.#waiting.push({ ticket, tell: then });
  }

  /** All open tickets up to `through` had this end; returns how many those are. */
  settle(through: Ticket, isOnDisk: boolean): number {
    const from = this.#settled + 1;
    const to = Math.min(through, this.#given);
    if (to < from) return 0;
    if (!isOnDisk) this.#refuse(from, to);
    this.#settled = to;
    const waiting = this.#waiting;
    // A callback may ask about another ticket at once.
    this.#waiting = waiting.filter(({ ticket }) => ticket > to);
    for (const { ticket, tell } of waiting) if (ticket <= to) tellSafely(tell, isOnDisk);
    return to - from + 1;
  }

  refuseAll(): void {
    this.settle(this.#given, false);
  }

  #refuse(from: Ticket, to: Ticket): void {
    const last = this.#refused.at(-1);
    if (last?.to === from - 1) last.to = to;
    else this.#refused.push({ from, to });
    if (this.#refused.length > REFUSED_RANGES_MAX) this.#forgotten = this.#refused.shift()?.to ?? this.#forgotten;
  }
}

/** One listener that throws must not keep the others from hearing; its error is still a fault of the program. */
function tellSafely(tell: Told, isOnDisk: boolean): void {
  try {
    tell(isOnDisk);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
