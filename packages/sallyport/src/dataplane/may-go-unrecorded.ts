/** The one exception to "nothing runs unrecorded", and what it never covers: whatever is not inference. */
import type { LedgerAppender } from "../audit/recorder.ts";
import type { UnrecordedRequests } from "../audit/unrecorded.ts";
import type { Exchange } from "./exchange.ts";

/** Asked when the intent of an exchange could not be recorded: true when it goes on all the same. */
export function mayGoUnrecorded(exchange: Exchange, unrecorded: UnrecordedRequests): boolean {
  const isInference = exchange.endpoint!.recorded === "inference";
  exchange.isUnrecorded = isInference && unrecorded.take(exchange.key!.environment, exchange.key!.id);
  return exchange.isUnrecorded;
}

/** Its intent is on disk, or it goes on without as policy says: from here on bytes may leave. */
export function isRecorded({ ticket, isUnrecorded }: Exchange, ledger: Pick<LedgerAppender, "isDurable">): boolean {
  return isUnrecorded || (ticket !== null && ledger.isDurable(ticket));
}
