/** What an exchange cost, once it has given its slot back. */
import type { Exchange } from "./exchange.ts";

/**
 * Compute time in ms: what the model server says it worked, as far as the slot was held for that long, and the time the
 * slot was held where the server says nothing. Whole milliseconds, so that sums in every report agree.
 */
export function computeMsOf({
  usage,
  heldMs,
  isForwarded,
}: Pick<Exchange, "usage" | "heldMs" | "isForwarded">): number {
  if (!isForwarded) return 0;
  return Math.round(Math.min(usage?.workedMs ?? heldMs, heldMs));
}
