/**
 * How the request's way writes to the ledger. `append` never waits: it gives a ticket; the writer commits tickets in
 * order, in groups. A ticket that could not be committed is refused to everyone who waits for it.
 */
export type Ticket = number;

export interface LedgerAppender {
  /**
   * Queues one event for the next group commit. `line` is the JSON text of a LedgerEvent, made by `encodeEvent()`.
   * Returns a ticket, or undefined when the queue is over its bound or the store is known to be down (refuse then).
   * With `isAwaited` false nobody waits for it: it rides with the next group that somebody does wait for, or goes a
   * tenth of a second later.
   */
  append(line: string, isAwaited?: boolean): Ticket | undefined;
  /** True when the ticket is on disk. */
  isDurable(ticket: Ticket): boolean;
  /** Calls back once, when the ticket is on disk (`true`) or could not be (`false`); at once where that is known. */
  whenDurable(ticket: Ticket, then: (isOnDisk: boolean) => void): void;
}
