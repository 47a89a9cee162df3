/**
 * How the request path writes to the ledger. `append` never waits: it returns a ticket; the writer commits tickets in
 * order, in groups. A ticket that could not be committed fails for everyone who waits for it.
 */
export type Ticket = number;

export interface LedgerAppender {
  /**
   * Queues one event for the next group commit. `line` is the JSON text of a LedgerEvent, made by `encodeEvent()`.
   * Returns a ticket, or undefined if the queue is over its bound or the store is known to be down (deny then). With
   * `isAwaited` false, no one waits for it: it is committed with the next awaited group, or a tenth of a second later.
   */
  append(line: string, isAwaited?: boolean): Ticket | undefined;
  /** True when the ticket is on disk. */
  isDurable(ticket: Ticket): boolean;
  /** Calls back once, when the ticket is on disk (`true`) or could not be (`false`); at once where that is known. */
  whenDurable(ticket: Ticket, then: (isOnDisk: boolean) => void): void;
}
