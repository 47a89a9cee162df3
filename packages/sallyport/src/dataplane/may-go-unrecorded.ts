/** The one exception to "nothing runs unrecorded", and what it never covers: whatever is not inference. */
import type { UnrecordedRequests } from "../audit/unrecorded.ts";
import type { Exchange } from "./exchange.ts";

/** Asked when the intent of an exchange could not be recorded: true when it goes on all the same. */
export function mayGoUnrecorded(exchange: Exchange, unrecorded: UnrecordedRequests): boolean {
  const isInference = exchange.endpoint!.recorded === "inference";
  exchange.isUnrecorded = isInference && unrecorded.take(exchange.key!.environment, exchange.key!.id);
  return exchange.isUnrecorded;
}
